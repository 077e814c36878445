; The installer for Windows: for one person, without an administrator. tools/package-windows makes it, on Windows and,
; to see that it compiles, on Debian. FROZEN is the folder that PyInstaller made on Windows. Never run on Windows.

Unicode true
!ifndef VERSION
  !error "-DVERSION= is missing"
!endif
!ifndef FROZEN
  !error "-DFROZEN= is missing"
!endif
!ifndef OUT
  !error "-DOUT= is missing"
!endif
!define ROOT "../../.." ; makensis works in the folder of its script
!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh

!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\ssgui"
!define SCHEME "Software\Classes\ss"

Name "ssgui"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\ssgui"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
RequestExecutionLevel user
SetCompressor /SOLID lzma
ManifestDPIAware true
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "ssgui"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "ssgui"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

!define MUI_ICON "${ROOT}/resources/icons/app/ssgui.ico"
!define MUI_UNICON "${ROOT}/resources/icons/app/ssgui.ico"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN "$INSTDIR\ssgui.exe"
!define MUI_LANGDLL_REGISTRY_ROOT HKCU
!define MUI_LANGDLL_REGISTRY_KEY "${UNINSTALL}"
!define MUI_LANGDLL_REGISTRY_VALUENAME "Language"
!insertmacro MUI_PAGE_LICENSE "${ROOT}/LICENSE"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "SimpChinese"
!insertmacro MUI_RESERVEFILE_LANGDLL

LangString PROGRAM ${LANG_ENGLISH} "The program"
LangString PROGRAM ${LANG_SIMPCHINESE} "程序"
LangString LINKS ${LANG_ENGLISH} "Open ss:// links"
LangString LINKS ${LANG_SIMPCHINESE} "打开 ss:// 链接"
LangString MENU ${LANG_ENGLISH} "Start menu"
LangString MENU ${LANG_SIMPCHINESE} "开始菜单"
LangString DESKTOP ${LANG_ENGLISH} "Desktop shortcut"
LangString DESKTOP ${LANG_SIMPCHINESE} "桌面快捷方式"
LangString LOGIN ${LANG_ENGLISH} "Start at login"
LangString LOGIN ${LANG_SIMPCHINESE} "登录时启动"
LangString ABOUT_PROGRAM ${LANG_ENGLISH} "ssgui with all that it needs."
LangString ABOUT_PROGRAM ${LANG_SIMPCHINESE} "ssgui 及其所需的一切。"
LangString ABOUT_LINKS ${LANG_ENGLISH} "Links to servers open in ssgui, which shows what they hold before anything is added."
LangString ABOUT_LINKS ${LANG_SIMPCHINESE} "服务器链接用 ssgui 打开，添加之前会先显示其内容。"
LangString ABOUT_LOGIN ${LANG_ENGLISH} "It can be turned on and off in ssgui's settings at any time."
LangString ABOUT_LOGIN ${LANG_SIMPCHINESE} "随时可以在 ssgui 的设置中开关。"
LangString IN_USE ${LANG_ENGLISH} "ssgui is running and does not end. Quit it from its icon's menu, then try again."
LangString IN_USE ${LANG_SIMPCHINESE} "ssgui 正在运行且没有退出。请从它的图标菜单退出，然后重试。"
LangString PURGE ${LANG_ENGLISH} "Remove your servers, rules and settings too?"
LangString PURGE ${LANG_SIMPCHINESE} "同时删除您的服务器、规则和设置吗？"

; Whatever runs of ssgui ends in order, and puts the system's proxy back; its files could not be replaced otherwise.
!macro END_RUNNING WHAT
  ${If} ${FileExists} "$INSTDIR\ssgui-console.exe"
    nsExec::ExecToLog '"$INSTDIR\ssgui-console.exe" uninstall ${WHAT}'
    Pop $0
    ${If} $0 != 0
      ; Not all could be taken back: the proxy at least must never lead to a program that is gone.
      nsExec::ExecToLog '"$INSTDIR\ssgui-console.exe" restore-proxy'
      Pop $1
    ${EndIf}
  ${Else}
    StrCpy $0 0
  ${EndIf}
!macroend

Function .onInit
  !insertmacro MUI_LANGDLL_DISPLAY
FunctionEnd

Function un.onInit
  !insertmacro MUI_UNGETLANGUAGE
FunctionEnd

Section $(PROGRAM) SEC_PROGRAM
  SectionIn RO
  !insertmacro END_RUNNING "--upgrade" ; of an older version
  ${If} $0 != 0
    ClearErrors
    FileOpen $4 "$INSTDIR\ssgui.exe" a
    ${If} ${Errors}
      MessageBox MB_ICONSTOP|MB_OK "$(IN_USE)" /SD IDOK
      Abort
    ${EndIf}
    FileClose $4
  ${EndIf}
  RMDir /r "$INSTDIR\_internal"
  SetOutPath "$INSTDIR"
  File /r "${FROZEN}/*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "ssgui"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" '"$INSTDIR\ssgui.exe",0'
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The ssgui project"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $5 $6 $7
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $5
SectionEnd

; As the app itself writes it (ssgui/system/integration/windows.py): behind "--" nothing is a flag.
Section $(LINKS) SEC_LINKS
  WriteRegStr HKCU "${SCHEME}" "" "URL:Shadowsocks link"
  WriteRegStr HKCU "${SCHEME}" "URL Protocol" ""
  WriteRegStr HKCU "${SCHEME}\DefaultIcon" "" '"$INSTDIR\ssgui.exe",0'
  WriteRegStr HKCU "${SCHEME}\shell\open\command" "" '"$INSTDIR\ssgui.exe" -- "%1"'
SectionEnd

Section $(MENU) SEC_MENU
  CreateShortcut "$SMPROGRAMS\ssgui.lnk" "$INSTDIR\ssgui.exe"
SectionEnd

Section /o $(DESKTOP) SEC_DESKTOP
  CreateShortcut "$DESKTOP\ssgui.lnk" "$INSTDIR\ssgui.exe"
SectionEnd

Section /o $(LOGIN) SEC_LOGIN
  WriteRegStr HKCU "${RUN}" "ssgui" '"$INSTDIR\ssgui.exe"'
  DeleteRegValue HKCU "${APPROVED}" "ssgui"
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${SEC_PROGRAM} $(ABOUT_PROGRAM)
  !insertmacro MUI_DESCRIPTION_TEXT ${SEC_LINKS} $(ABOUT_LINKS)
  !insertmacro MUI_DESCRIPTION_TEXT ${SEC_LOGIN} $(ABOUT_LOGIN)
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Section Uninstall
  StrCpy $8 "--keep-data"
  MessageBox MB_ICONQUESTION|MB_YESNO|MB_DEFBUTTON2 "$(PURGE)" /SD IDNO IDNO keep
    StrCpy $8 "--purge"
  keep:
  !insertmacro END_RUNNING "$8"
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\ssgui.exe"
  Delete "$INSTDIR\ssgui-console.exe"
  ${If} ${FileExists} "$INSTDIR\ssgui.exe"
    MessageBox MB_ICONSTOP|MB_OK "$(IN_USE)" /SD IDOK
    Abort
  ${EndIf}
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR" ; only if nothing else is in it: a portable data directory stays
  Delete "$SMPROGRAMS\ssgui.lnk"
  Delete "$DESKTOP\ssgui.lnk"
  DeleteRegValue HKCU "${RUN}" "ssgui"
  DeleteRegValue HKCU "${APPROVED}" "ssgui"
  ReadRegStr $3 HKCU "${SCHEME}\shell\open\command" ""
  ${If} $3 == '"$INSTDIR\ssgui.exe" -- "%1"'
    DeleteRegKey HKCU "${SCHEME}"
  ${EndIf}
  DeleteRegKey HKCU "${UNINSTALL}"
SectionEnd
