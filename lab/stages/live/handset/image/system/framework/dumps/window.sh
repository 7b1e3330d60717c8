# dumpsys window [policy]: keyguard, wakefulness of the policy, and the window in focus.

dump_service() {
    load
    resumed
    awake=false screen=OFF interactive=SLEEP
    [ "$wakefulness" != Awake ] || awake=true screen=ON interactive=AWAKE
    case ${1:-all} in
        policy | p) policy ;;
        *) policy; focus ;;
    esac
}

policy() {
    echo "WINDOW MANAGER POLICY STATE (dumpsys window policy)
    mSafeMode=false mSystemReady=true mSystemBooted=true
    mCameraLensCoverState=CAMERA_LENS_COVER_ABSENT
    mWakeGestureEnabledSetting=true
    mUiMode=UI_MODE_TYPE_NORMAL mEnableCarDockHomeCapture=true
    mLidKeyboardAccessibility=0 mLidNavigationAccessibility=0 getLidBehavior=LID_BEHAVIOR_NONE
    mShortPressOnPowerBehavior=SHORT_PRESS_POWER_GO_TO_SLEEP
    mAllowStartActivityForLongPressOnPowerDuringSetup=false
    mHasSoftInput=false mHapticTextHandleEnabled=true
    mDismissImeOnBackKeyPressed=false
    mIncallPowerBehavior=sleep
    mIncallBackBehavior=none mEndcallBehavior=sleep
    mDisplayHomeButtonHandlers=
      0 : ShortPress
    mKeyguardOccluded=false mKeyguardOccludedChanged=false mPendingKeyguardOccluded=false
    mAllowLockscreenWhenOnDisplays=false mLockScreenTimeout=60000 mLockScreenTimerActive=false
    mHdmiPlugged=false
    KeyguardServiceDelegate
      showing=$keyguard
      showingAndNotOccluded=$keyguard
      inputRestricted=$keyguard
      occluded=false
      secure=false
      dreaming=false
      systemIsReady=true
      deviceHasKeyguard=$lockable
      enabled=true
      offReason=OFF_BECAUSE_OF_USER
      currentUser=0
      bootCompleted=true
      screenState=SCREEN_STATE_$screen
      interactiveState=INTERACTIVE_STATE_$interactive
    KeyguardStateMonitor
      mIsShowing=$keyguard
      mSimSecure=false
      mInputRestricted=$keyguard
      mCurrentUserId=0
    Looper state:
      Looper (android.ui, tid 16) {c8a2d5c}"
}

# What is in front of the user: the keyguard's window is called StatusBar before Android 11.
focus() {
    shade=NotificationShade
    [ "$sdk" -ge 30 ] || shade=StatusBar
    if [ "$keyguard" = true ]; then
        focus=$shade
    else
        focus=${front:-$launcher}/${front:-$launcher}.MainActivity
    fi
    echo "
WINDOW MANAGER DISPLAY CONTENTS (dumpsys window displays)
  Display: mDisplayId=0
    init=1080x2340 440dpi cur=1080x2340 app=1080x2208 rng=1080x1017-2208x2145
  mCurrentFocus=Window{3c1f3e9 u0 $focus}
  mFocusedApp=ActivityRecord{c5ad07b u0 ${front:-$launcher}/.MainActivity t7}
  DisplayPolicy
    mCarDockEnablesAccelerometer=true mDeskDockEnablesAccelerometer=true
    mDockMode=EXTRA_DOCK_STATE_UNDOCKED mLidState=LID_ABSENT
    mAwake=$awake mScreenOnEarly=$awake mScreenOnFully=$awake
    mKeyguardDrawComplete=$awake mWindowManagerDrawComplete=$awake
    mShowingDream=false mDreamingLockscreen=$keyguard

WINDOW MANAGER WINDOWS (dumpsys window windows)
  mCurrentFocus=Window{3c1f3e9 u0 $focus}
  mFocusedApp=ActivityRecord{c5ad07b u0 ${front:-$launcher}/.MainActivity t7}
  mHoldScreenWindow=null
  isKeyguardShowing=$keyguard"
}
