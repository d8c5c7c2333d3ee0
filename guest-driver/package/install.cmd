@echo off
rem Installs isoav.sys and isoav.exe on this Windows.
rem
rem   install              everything; what needs a restart says so
rem   install /prepare     trust and test signing only, before the first start
rem
rem It adds two certificates to this machine's stores and turns test signing
rem on: use a machine that is there for tests. Exit code: 0, or that of what
rem failed; 3010 when only a restart is missing. report.cmd calls it.
rem
rem SPDX-License-Identifier: MIT
setlocal EnableExtensions
set "here=%~dp0"
set "target=%ProgramFiles%\IsoLab"

fltmc >nul 2>&1
if errorlevel 1 (
    echo install: start this from a command prompt of an administrator.
    exit /b 5
)

echo install: the certificates
certutil -addstore -f Root "%here%certificates\isolab-root.cer"
if errorlevel 1 goto failed
certutil -addstore -f TrustedPublisher "%here%certificates\isolab-signer.cer"
if errorlevel 1 goto failed

echo install: test signing
bcdedit /set testsigning on
if errorlevel 1 (
    echo install: Windows did not turn test signing on. Secure Boot must be off.
    exit /b 1
)
if /i "%~1"=="/prepare" (
    >COM1 echo ISOLAB BEGIN prepare
    >COM1 echo ISOLAB END prepare 0
    exit /b 0
)

echo install: the driver
pnputil /add-driver "%here%driver\isoav.inf" /install
set "code=%errorlevel%"
rem 259: staged, and no such device is plugged in now. 3010: after a restart.
if "%code%"=="259" (
    echo install: no device is there yet; plug usb-isoav in.
    set "code=0"
)
if not "%code%"=="0" if not "%code%"=="3010" (
    echo install: pnputil said %code%; see %SystemRoot%\inf\setupapi.dev.log.
    exit /b %code%
)

echo install: the program
if not exist "%target%" mkdir "%target%"
copy /y "%here%isoav.exe" "%target%\isoav.exe" >nul
if errorlevel 1 goto failed
echo install: done. The program is "%target%\isoav.exe".
if "%code%"=="3010" echo install: the driver wants a restart of Windows.
rem Test signing counts from the next start on: how was this one?
reg query HKLM\SYSTEM\CurrentControlSet\Control /v SystemStartOptions | findstr /i TESTSIGNING >nul
if errorlevel 1 (
    echo install: restart Windows; test signing begins then.
    set "code=3010"
)
exit /b %code%

:failed
set "code=%errorlevel%"
echo install: that failed with %code%.
exit /b %code%
