# dumpsys package [PACKAGE]: uid, versions and kind of the packages.

dump_service() {
    load
    echo "Packages:"
    mawk -F'|' -v wanted="${1:-}" -v sdk="$sdk" '
        wanted != "" && $1 != wanted { next }
        { printf "  Package [%s] (%x):\n    userId=%d\n    pkg=Package{%x %s}\n    codePath=%s\n    versionCode=%d minSdk=21 targetSdk=%d\n    versionName=%s\n    flags=[ %sHAS_CODE ]\n", \
            $1, $2 * 4099, $2, $2 * 2053, $1, $6, $4, sdk, $3, ($5 == "s" ? "SYSTEM " : "DEBUGGABLE ") }' "$packages"
}
