@echo off
rem Installs, tests, and reports to the host, which reads COM1.
rem
rem   report               all of it; Windows restarts if test signing needs it
rem   report /logon        the same, and once more at each logon from now on
rem
rem What it says on COM1 is lines; a file is what certutil -encode makes of it:
rem
rem   ISOLAB REPORT 1              a report begins, of version 1 of this
rem   ISOLAB BEGIN step            install, selftest, capture, log
rem   ISOLAB FILE name bytes sum   base64 follows; the sum is SHA-256
rem   ISOLAB EOF name
rem   ISOLAB NOTE text             what went wrong, for people
rem   ISOLAB END step code
rem   ISOLAB RESTART               the report goes on after a restart
rem   ISOLAB DONE code files       the last line
rem
rem A redirection is in front of its command: a digit before a redirection
rem would be a file's number.
rem
rem SPDX-License-Identifier: MIT
setlocal EnableExtensions
set "here=%~dp0"
set "target=%ProgramFiles%\IsoLab"
set "work=%SystemRoot%\Temp\IsoLab"
set "files=0"
set "code=1"
if not defined frames set "frames=300"
if not defined packets set "packets=1024"
set /a every=frames/3

fltmc >nul 2>&1
if errorlevel 1 (
    echo report: start this from a command prompt of an administrator.
    exit /b 5
)
if not exist "%work%" mkdir "%work%"
mode com1: baud=115200 parity=n data=8 stop=1 to=off xon=off >nul 2>&1
>COM1 echo ISOLAB REPORT 1
if errorlevel 1 (
    echo report: this machine has no COM1; the host hears nothing.
    exit /b 2
)

call :install
if "%code%"=="3010" goto restart
if not "%code%"=="0" goto done
if /i "%~1"=="/logon" call :logon
set "worst=0"
call :step selftest
call :step capture
call :step log
set "code=%worst%"

:done
del "%work%\restarted" >nul 2>&1
>COM1 echo ISOLAB DONE %code% %files%
echo report: done, with %code%; the host has the results.
exit /b %code%

rem Test signing counts from the next start on; that is tried once.
:restart
if exist "%work%\restarted" (
    >COM1 echo ISOLAB NOTE test signing is not on, after a restart, either
    goto done
)
>"%work%\restarted" echo restarted
call :logon
>COM1 echo ISOLAB RESTART
echo report: Windows restarts in 15 seconds, and the report goes on when you
echo report: have logged on again. "shutdown /a" keeps it from that.
shutdown /r /t 15
exit /b 3010

rem step NAME: with what came of it in %worst%
:step
echo report: %1
>COM1 echo ISOLAB BEGIN %1
set "code=1"
call :%1
if not "%code%"=="0" set "worst=1"
>COM1 echo ISOLAB END %1 %code%
exit /b 0

rem The host is to know of each failure why.
:install
echo report: install
>COM1 echo ISOLAB BEGIN install
ver >"%work%\install.txt"
call "%here%install.cmd" >>"%work%\install.txt" 2>&1
set "code=%errorlevel%"
bcdedit >>"%work%\install.txt" 2>&1
pnputil /enum-drivers >>"%work%\install.txt" 2>&1
if not "%code%"=="0" if not "%code%"=="3010" (
    powershell -NoProfile -Command "Get-Content -Tail 400 '%SystemRoot%\inf\setupapi.dev.log'" >"%work%\setupapi.txt" 2>&1
    call :send "%work%\setupapi.txt" setupapi.txt
)
call :send "%work%\install.txt" install.txt
>COM1 echo ISOLAB END install %code%
exit /b 0

:selftest
"%target%\isoav.exe" info --json >"%work%\info.json" 2>&1
"%target%\isoav.exe" selftest >"%work%\selftest.tap" 2>"%work%\selftest.txt"
set "code=%errorlevel%"
call :send "%work%\info.json" info.json
call :send "%work%\selftest.tap" selftest.tap
exit /b 0

rem The log of before is none of this stream's.
:capture
"%target%\isoav.exe" log --size %packets% >nul 2>&1
if exist "%work%\frames" rd /s /q "%work%\frames"
"%target%\isoav.exe" capture --json --frames %frames% --every %every% --out "%work%\frames" >"%work%\capture.json" 2>"%work%\capture.txt"
set "code=%errorlevel%"
call :send "%work%\capture.json" capture.json
call :send "%work%\capture.txt" capture.txt
for %%p in (%work%\frames\*.png) do call :send "%%p" "%%~nxp"
exit /b 0

:log
"%target%\isoav.exe" log --json >"%work%\log.json" 2>&1
set "code=%errorlevel%"
"%target%\isoav.exe" stats --json >"%work%\driver.json" 2>&1
call :send "%work%\log.json" log.json
call :send "%work%\driver.json" driver.json
exit /b 0

rem send FILE NAME
:send
if not exist "%~1" (
    >COM1 echo ISOLAB NOTE there is no %~2
    exit /b 1
)
set "sum="
for /f "skip=1 delims=" %%h in ('certutil -hashfile "%~1" SHA256') do if not defined sum set "sum=%%h"
if not defined sum set "sum=none"
>COM1 echo ISOLAB FILE %~2 %~z1 %sum: =%
rem certutil refuses a file that is empty
if not "%~z1"=="0" (
    certutil -f -encode "%~1" "%work%\base64.txt" >nul
    type "%work%\base64.txt">COM1
)
>COM1 echo ISOLAB EOF %~2
set /a files+=1
exit /b 0

rem A task, because it runs with all of an administrator's rights. It does
rem nothing unless a disc of IsoLab's is there.
:logon
copy /y "%here%logon.cmd" "%target%\logon.cmd" >nul
schtasks /create /f /tn IsoLab /sc onlogon /rl highest /tr "\"%target%\logon.cmd\"" >nul
if errorlevel 1 (
    >COM1 echo ISOLAB NOTE the task that reports at each logon was not made
)
exit /b 0
