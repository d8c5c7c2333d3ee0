@echo off
rem What the task IsoLab runs at each logon: a report, if the disc is there.
rem To be rid of it: schtasks /delete /tn IsoLab
rem
rem SPDX-License-Identifier: MIT
for %%d in (D E F G H I J) do if exist %%d:\driver\isoav.inf (
    call %%d:\report.cmd
    exit /b
)
