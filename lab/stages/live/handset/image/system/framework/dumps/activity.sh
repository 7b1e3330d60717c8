# dumpsys activity [activities|a|processes|p|o|oom]: the resumed activity, the keyguard, the processes by importance.

dump_service() {
    load
    resumed
    sleeping=false
    [ "$wakefulness" = Awake ] || sleeping=true
    case ${1:-all} in
        activities | a) activities ;;
        processes | p) processes ;;
        oom | o) oom ;;
        all) activities; processes ;;
        *) echo "Bad activity command, or no activities match: $1" ;;
    esac
}

activities() {
    task="ActivityRecord{c5ad07b u0 ${front:-$launcher}/.MainActivity t7}"
    echo "ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)
Display #0 (activities from top to bottom):"
    if [ "$sdk" -ge 31 ]; then tasks; else stacks; fi
    echo "
KeyguardController:
  mKeyguardShowing=$keyguard
  mAodShowing=false
  mKeyguardGoingAway=false
  Occluded=false DismissingKeyguardActivity=null at display=0
  mDismissalRequested=false
  mVisibilityTransactionDepth=0
LockTaskController
  mLockTaskModeState=NONE"
}

# Android 12 and later: tasks in task display areas.
tasks() {
    state=STOPPED
    [ -z "$top" ] || state=RESUMED
    echo "  * Task{a3f9c1e #7 type=standard A=${front:-$launcher} U=0 visible=true mode=fullscreen sz=1}"
    if [ -n "$top" ]; then echo "    topResumedActivity=$task"; else echo "    mLastPausedActivity: $task"; fi
    echo "    * Hist  #0: $task
        packageName=${front:-$launcher} processName=${front:-$launcher}
        mActivityComponent=${front:-$launcher}/.MainActivity
        state=$state delayedResume=false finishing=false
"
    if [ -n "$top" ]; then
        echo "  Resumed activities in task display areas (from top to bottom):
    Resumed: $task

  ResumedActivity: $task"
    fi
    echo "  mSleepTimeout=false
  isSleeping=$sleeping"
}

# Android 10 and 11: stacks.
stacks() {
    state=STOPPED
    [ -z "$top" ] || state=RESUMED
    echo "
  Stack #1: type=standard mode=fullscreen
  isSleeping=$sleeping
  mBounds=Rect(0, 0 - 0, 0)
    Task id #7
    mBounds=Rect(0, 0 - 0, 0)
    * TaskRecord{a3f9c1e #7 A=${front:-$launcher} U=0 StackId=1 sz=1}
      * Hist #0: $task
          packageName=${front:-$launcher} processName=${front:-$launcher}
          state=$state stopped=false delayedResume=false finishing=false
    Running activities (most recent first):
      Run #0: $task
"
    if [ -n "$top" ]; then
        echo "    mResumedActivity: $task
  ResumedActivity: $task"
    else
        echo "    mLastPausedActivity: $task"
    fi
}

# One line a process: importance, flags, pid:package/user and app id, reason (ProcessList.dumpProcessOomList).
process_lines() {
    number=0
    for process in $running; do
        package=${process%%:*}
        uid=${process#*:}
        uid=${uid%:*}
        user=$uid
        [ "$uid" -lt 10000 ] || user=u0a$((uid - 10000))
        case $package in
            "$top") how="fg     T/A/TOP " why=top-activity ;;
            "${front:-$launcher}") how="fg     T/A/TPSL" why=top-sleeping ;;
            "$launcher") how="home    / /HOME" why=home ;;
            *) how="cch+$((number + 5)) B/ /CAC " why=cch-act ;;
        esac
        [ "$sdk" -ge 30 ] || { flags="trm: 0"; how="$how "; }
        [ "$sdk" -lt 30 ] || flags="LCMN  t: 0"
        [ "$sdk" -lt 34 ] || flags="LCMNFUATI  t: 0"
        place=$number
        [ $number -ge 10 ] || place=" $number"
        echo "    Proc #$place: $how $flags ${process##*:}:$package/$user ($why)"
        number=$((number + 1))
    done
}

processes() {
    echo "ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity processes)"
    set -- $running
    echo "  Process LRU list (sorted by oom_adj, $# total, non-act at 0, non-svc at 0):"
    process_lines
    echo "
  mHomeProcess: ProcessRecord{5c1d2b0 $launcher}
  mWakefulness=$wakefulness mSleeping=$sleeping
  mShuttingDown=false mTestPssMode=false"
}

oom() {
    set -- $running
    echo "ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity o)
  OOM levels:
    -900: SYSTEM_ADJ
       0: FOREGROUND_APP_ADJ
     600: HOME_APP_ADJ
     900: CACHED_APP_MIN_ADJ

  Process OOM control ($# total, non-act at 0, non-svc at 0):"
    process_lines
    echo "
  mHomeProcess: ProcessRecord{5c1d2b0 $launcher}"
}
