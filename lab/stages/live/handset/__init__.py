"""The embedded Android device: Debian's adbd in a container that answers like a phone.

Everything under image/system answers from one record of state (framework/state.sh), which only Android's own commands
change. The shapes of Android 10, 13 and 15 follow AOSP and public samples; NONE has been compared with a real device.
Beyond a shell, and so different from a phone: an APK's package name is its file name, an app's activity is always
MainActivity, pids of apps are numbers without processes, the screen never times out by itself, and no more than 1500
usage events are kept.
"""
