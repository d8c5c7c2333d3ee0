/*
 * The charts of the page, drawn with dygraphs (axes, zoom, moving) from the
 * numbers in #data. Time is in microframes. Charts over time share their
 * range. Colours are those of the style sheet, so that they follow its theme.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
(function () {
    "use strict";

    const data = JSON.parse(document.getElementById("data").textContent);
    const root = document.documentElement;
    const charts = [];
    const linked = [];
    const UF_PER_MS = 8;
    const LANE_PX = 46;
    const LABEL_PX = Math.min(170, Math.round(root.clientWidth * 0.3));

    /* one a row of data.effects: light, dark */
    const EFFECT_COLOURS = {
        short: ["#8a6d00", "#e0c04a"],
        overrun: ["#b0307f", "#f07cc0"],
        transaction: ["#c0341d", "#ff8a6b"],
        stall: ["#6a3fb0", "#b79af5"],
        missed: ["#c96a00", "#ffb45c"],
        buffer: ["#007a78", "#4fd0cc"],
        bandwidth: ["#5a7a00", "#b4d64c"],
        cancelled: ["#8b9097", "#80868e"],
        gone: ["#4a3326", "#c9a58c"],
        other: ["#55595f", "#b8bdc4"],
        damaged: ["#8f1d4f", "#ff7aa8"],
        lost: ["#a04800", "#ff9d4d"],
        reset: ["#3d4f8f", "#98abf0"],
        refused: ["#6b2f2f", "#e09a9a"],
    };

    function style(name) {
        return getComputedStyle(root).getPropertyValue("--" + name).trim();
    }

    function isDark() {
        return !root.classList.contains("print") &&
            matchMedia("(prefers-color-scheme: dark)").matches;
    }

    function effectColour(index) {
        const pair = EFFECT_COLOURS[data.effects[index]];

        return pair ? pair[isDark() ? 1 : 0] : style("ok");
    }

    function count(n) {
        return n.toLocaleString("en");
    }

    function moment(uf) {
        return "microframe " + count(Math.round(uf)) + " (" +
            (uf / UF_PER_MS).toFixed(3) + " ms)";
    }

    /* The first index of a sorted column whose value is not below x. */
    function lowerBound(column, x) {
        let low = 0, high = column.length;

        while (low < high) {
            const middle = (low + high) >> 1;

            if (column[middle] < x) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /* Names beside squares of their colour, and a place for what is pointed at. */
    function legend(figure, entries) {
        const place = figure.querySelector(".legend");

        place.textContent = "";
        for (const [name, colour] of entries) {
            const entry = document.createElement("span");
            const square = document.createElement("i");

            square.style.background = colour;
            entry.append(square, name);
            place.append(entry);
        }
        return place.appendChild(document.createElement("output"));
    }

    function drawFaults(context, area, g) {
        context.save();
        context.strokeStyle = context.fillStyle = style("fault");
        context.setLineDash([3, 3]);
        for (const [x] of data.faults) {
            const at = g.toDomXCoord(data.base + x + 0.5);

            if (at < area.x || at > area.x + area.w) {
                continue;
            }
            context.globalAlpha = data.faults.length > 60 ? 0.35 : 0.8;
            context.beginPath();
            context.moveTo(at, area.y);
            context.lineTo(at, area.y + area.h);
            context.stroke();
            context.globalAlpha = 1;
            context.beginPath();
            context.moveTo(at - 4, area.y);
            context.lineTo(at + 4, area.y);
            context.lineTo(at, area.y + 6);
            context.fill();
        }
        context.restore();
    }

    function faultAt(g, px) {
        let best = null, distance = 5;

        for (const [x, text] of data.faults) {
            const off = Math.abs(g.toDomXCoord(data.base + x + 0.5) - px);

            if (off < distance) {
                best = moment(data.base + x) + ": " + text;
                distance = off;
            }
        }
        return best;
    }

    /* Whoever is zoomed or moved takes the others along. */
    let moving = false;

    function follow(g, first) {
        if (moving || first) {
            return;
        }
        moving = true;
        for (const other of linked) {
            if (other !== g) {
                other.updateOptions({ dateWindow: g.xAxisRange() });
            }
        }
        moving = false;
    }

    function chart(figure, rows, options) {
        const plot = figure.querySelector(".plot");
        const g = new Dygraph(plot, rows, Object.assign({
            legend: "never",
            showLabelsOnHighlight: false,
            highlightCircleSize: 0,
            axisLineColor: style("line"),
            gridLineColor: style("grid"),
            animatedZooms: false,
        }, options));

        charts.push(g);
        return g;
    }

    /* What is drawn by hand has two corners for its only data. */
    function drawn(figure, corners, draw, options) {
        return chart(figure, corners, Object.assign({
            plotter: function () {},
            underlayCallback: draw,
        }, options));
    }

    function overTime(figure, make) {
        const g = make({
            drawCallback: follow,
            xRangePad: 4,
            axes: {},
        });

        linked.push(g);
        return g;
    }

    function timeAxis() {
        return {
            axisLabelFormatter: (x) => count(x),
            valueFormatter: moment,
            pixelsPerLabel: 90,
            axisLabelWidth: 90,
        };
    }

    function pointAt(g, figure, output, describe) {
        const plot = figure.querySelector(".plot");

        plot.addEventListener("mousemove", function (event) {
            const [px, py] = g.eventToDomCoords(event);

            output.textContent = faultAt(g, px) || describe(px, py) || "";
        });
        plot.addEventListener("mouseleave", function () {
            output.textContent = "";
        });
    }

    /* ---- packets by microframe ---- */

    function effectsOf(column) {
        return [...new Set(column)].sort((a, b) => b - a);
    }

    function timelineText(t, i) {
        const what = t.n[i] > 1
            ? count(t.n[i]) + " packets in " + count(t.w[i]) +
              " microframes, up to " + count(t.bytes[i]) + " bytes"
            : count(t.bytes[i]) + " bytes";

        return t.lanes[t.lane[i]] + ", " + moment(data.base + t.x[i]) + ": " +
            what + ", " + data.effects[t.effect[i]];
    }

    function drawTimeline(context, area, g) {
        const t = data.timeline, lanes = t.lanes.length;
        const ok = data.effects.length - 1;
        const range = g.xAxisRange().map((x) => x - data.base);
        const widest = t.widest;
        const tall = area.h / lanes;

        context.fillStyle = style("raised");
        context.fillRect(area.x, area.y, area.w, area.h);
        for (let pass = 0; pass < 2; pass++) {
            for (let i = lowerBound(t.x, range[0] - widest);
                i < t.x.length && t.x[i] <= range[1]; i++) {
                const bad = t.effect[i] !== ok;

                if (bad !== (pass === 1)) {
                    continue;
                }
                const left = g.toDomXCoord(data.base + t.x[i]);
                const right = g.toDomXCoord(data.base + t.x[i] + t.w[i]);
                const gap = right - left > 6 ? 1 : 0;
                const wide = Math.max(right - left - gap, bad ? 2 : 1);
                const full = tall - 10;
                const high = bad ? full
                    : Math.max(3, full * t.bytes[i] / (t.most[t.lane[i]] || 1));

                context.globalAlpha = t.n[i] > 1 && !bad ? 0.55 : 1;
                context.fillStyle = effectColour(t.effect[i]);
                context.fillRect(left, area.y + tall * (t.lane[i] + 1) - 4 - high,
                    wide, high);
            }
        }
        context.globalAlpha = 1;
        context.fillStyle = style("line");
        for (let lane = 0; lane <= lanes; lane++) {
            context.fillRect(area.x, Math.round(area.y + tall * lane), area.w, 1);
        }
        drawFaults(context, area, g);
    }

    function timeline(figure) {
        const t = data.timeline, lanes = t.lanes.length;
        const end = data.base + data.end + 1;
        let output;

        t.widest = t.w.reduce((a, b) => Math.max(a, b), 1);
        t.most = t.lanes.map(() => 0);
        t.x.forEach(function (x, i) {
            t.most[t.lane[i]] = Math.max(t.most[t.lane[i]], t.bytes[i]);
        });
        figure.querySelector(".plot").style.height =
            (lanes * LANE_PX + 30) + "px";
        const g = overTime(figure, (options) => drawn(figure,
            [[data.base, 0], [end, lanes]], drawTimeline,
            Object.assign(options, {
                labels: ["microframe", "endpoint"],
                valueRange: [0, lanes],
                axes: {
                    x: timeAxis(),
                    y: {
                        drawGrid: false,
                        axisLabelWidth: LABEL_PX,
                        ticker: () => t.lanes.map((name, i) => ({
                            v: lanes - i - 0.5, label: name,
                        })),
                    },
                },
            })));
        const relegend = function () {
            output = legend(figure, effectsOf(t.effect).map((e) =>
                [data.effects[e], effectColour(e)]));
        };

        relegend();
        figure.relegend = relegend;
        pointAt(g, figure, { set textContent(text) {
            output.textContent = text;
        } }, function (px, py) {
            const lane = Math.floor(lanes - g.toDataYCoord(py));
            const x = g.toDataXCoord(px) - data.base;
            const reach = Math.abs(g.toDataXCoord(px + 4) - data.base - x);
            let best = -1, distance = reach;

            for (let i = lowerBound(t.x, x - t.widest - reach);
                i < t.x.length && t.x[i] <= x + reach; i++) {
                const off = x < t.x[i] ? t.x[i] - x
                    : Math.max(0, x - t.x[i] - t.w[i]);

                if (t.lane[i] === lane && off <= distance) {
                    best = i;
                    distance = off;
                }
            }
            return best < 0 ? "" : timelineText(t, best);
        });
    }

    /* ---- bytes a microframe ---- */

    function bandwidth(figure) {
        const b = data.bandwidth;
        let output;
        const rows = b.x.map((x, i) => [data.base + x, b.most[i], b.mean[i]]);

        rows.push([data.base + data.end + 1, rows[rows.length - 1][1],
            rows[rows.length - 1][2]]);
        figure.querySelector(".plot").style.height = "190px";
        const g = overTime(figure, (options) => chart(figure, rows,
            Object.assign(options, {
                labels: ["microframe", "most", "mean"],
                stepPlot: true,
                fillGraph: true,
                colors: [style("ok"), style("mean")],
                includeZero: true,
                underlayCallback: drawFaults,
                axes: {
                    x: timeAxis(),
                    y: { axisLabelWidth: LABEL_PX, axisLabelFormatter: (y) => count(y) },
                },
            })));

        figure.relegend = function () {
            output = legend(figure, [["most", style("ok")],
                ["mean", style("mean")]]);
            g.updateOptions({ colors: [style("ok"), style("mean")] }, true);
        };
        figure.relegend();
        pointAt(g, figure, { set textContent(text) {
            output.textContent = text;
        } }, function (px) {
            const x = g.toDataXCoord(px) - data.base;
            const i = lowerBound(b.x, x + 0.001) - 1;

            return i < 0 || i >= b.x.length ? ""
                : moment(data.base + b.x[i]) + " and " + count(b.width) +
                  " on: up to " + count(b.most[i]) + " bytes, mean " +
                  count(b.mean[i]);
        });
    }

    /* ---- failed packets over time ---- */

    function status(figure) {
        const s = data.status;
        const sums = new Map();
        let output;

        for (const [x, , n] of s.rows) {
            sums.set(x, (sums.get(x) || 0) + n);
        }
        const most = Math.max(1, ...sums.values());
        const draw = function (context, area, g) {
            const above = new Map();

            for (const [x, effect, n] of s.rows) {
                const from = above.get(x) || 0;
                const left = g.toDomXCoord(data.base + x);
                const right = g.toDomXCoord(data.base + x + s.width);
                const top = g.toDomYCoord(from + n);

                context.fillStyle = effectColour(effect);
                context.fillRect(left, top, Math.max(2, right - left - 1),
                    g.toDomYCoord(from) - top);
                above.set(x, from + n);
            }
            drawFaults(context, area, g);
        };

        if (!s.rows.length) {
            figure.querySelector(".plot").textContent = "No packet failed.";
            return;
        }
        figure.querySelector(".plot").style.height = "150px";
        const g = overTime(figure, (options) => drawn(figure,
            [[data.base, 0], [data.base + data.end + 1, most]], draw,
            Object.assign(options, {
                labels: ["microframe", "packets"],
                valueRange: [0, most * 1.1],
                axes: { x: timeAxis(), y: { axisLabelWidth: LABEL_PX } },
            })));

        figure.relegend = function () {
            output = legend(figure, effectsOf(s.rows.map((row) => row[1]))
                .map((e) => [data.effects[e], effectColour(e)]));
        };
        figure.relegend();
        pointAt(g, figure, { set textContent(text) {
            output.textContent = text;
        } }, function (px) {
            const x = g.toDataXCoord(px) - data.base;
            const here = s.rows.filter((row) =>
                row[0] <= x && x < row[0] + s.width);

            return here.map((row) => count(row[2]) + " " +
                data.effects[row[1]]).join(", ");
        });
    }

    /* ---- histograms ---- */

    function histogram(place, title, h) {
        const figure = document.createElement("figure");
        const caption = document.createElement("figcaption");
        const name = document.createElement("strong");
        const plot = document.createElement("div");
        const bar = document.createElement("div");
        const pad = h.count.length < 5 ? 3 : 0.5;
        const first = (h.first - pad * h.width) / 1000;
        const last = (h.first + (h.count.length + pad) * h.width) / 1000;
        const most = Math.max(...h.count);
        const outside = (h.below ? count(h.below) + " below" : "") +
            (h.below && h.above ? ", " : "") +
            (h.above ? count(h.above) + " above" : "");

        figure.className = "chart";
        name.textContent = title;
        caption.append(name, " in \u00b5s" +
            (outside ? "; not shown: " + outside : ""));
        bar.className = "legend";
        plot.className = "plot";
        plot.style.height = "170px";
        plot.setAttribute("role", "img");
        plot.setAttribute("aria-label", "Histogram: " + title);
        figure.append(caption, bar, plot);
        place.append(figure);
        const draw = function (context, area, g) {
            context.fillStyle = style("ok");
            h.count.forEach(function (n, i) {
                const left = g.toDomXCoord((h.first + i * h.width) / 1000);
                const right =
                    g.toDomXCoord((h.first + (i + 1) * h.width) / 1000);
                const high = n && Math.max(2,
                    g.toDomYCoord(0) - g.toDomYCoord(n));

                context.fillRect(left, area.y + area.h - high,
                    Math.max(1, right - left - 1), high);
            });
        };
        const g = drawn(figure, [[first, 0], [last, most]], draw, {
            labels: ["\u00b5s", "packets"],
            valueRange: [0, most * 1.08],
            axes: {
                x: { pixelsPerLabel: 60, drawGrid: false },
                y: { axisLabelWidth: 60, axisLabelFormatter: (y) => count(y) },
            },
        });
        const output = legend(figure, []);

        pointAt(g, figure, output, function (px) {
            const i = Math.floor(
                (g.toDataXCoord(px) * 1000 - h.first) / h.width);

            return h.count[i] === undefined ? ""
                : (h.first + i * h.width) / 1000 + " to " +
                  (h.first + (i + 1) * h.width) / 1000 + " \u00b5s: " +
                  count(h.count[i]) + " packets";
        });
    }

    function histograms() {
        const place = document.querySelector(".histograms");

        for (const h of data.histograms || []) {
            const lane = data.timeline.lanes[h.lane];

            for (const kind of ["jitter", "latency"]) {
                if (h[kind]) {
                    histogram(place, lane + ": " + kind, h[kind]);
                }
            }
        }
    }

    function redraw() {
        for (const figure of document.querySelectorAll(".chart")) {
            if (figure.relegend) {
                figure.relegend();
            }
        }
        for (const g of charts) {
            g.updateOptions({
                axisLineColor: style("line"),
                gridLineColor: style("grid"),
            });
        }
    }

    root.classList.add("drawn");
    if (data.timeline) {
        timeline(document.getElementById("timeline"));
        bandwidth(document.getElementById("bandwidth"));
        status(document.getElementById("status"));
        histograms();
    }
    matchMedia("(prefers-color-scheme: dark)")
        .addEventListener("change", redraw);
    addEventListener("beforeprint", function () {
        root.classList.add("print");
        redraw();
    });
    addEventListener("afterprint", function () {
        root.classList.remove("print");
        redraw();
    });
}());
