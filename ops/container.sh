#!/bin/sh
# What a container runs: container.sh run MANIFEST | health. Ends when the guard is gone; SIGTERM
# cancels every order, proves it and stops every process; positions stay, as the manifest has them.
set -eu

case ${1:-} in
run)
    manifest=${2:?container.sh run MANIFEST}
    stopped=0
    trap 'stopped=1' TERM INT
    status=0
    fleet apply "$manifest" --yes --wait "${FLEET_WAIT_S:-300}" || status=$?
    # 4: not all quote yet; the fleet goes on trying, and so does the container.
    if [ "$status" -ne 0 ] && [ "$status" -ne 4 ]; then
        exit "$status"
    fi
    while [ "$stopped" -eq 0 ] && fleet-container health; do
        sleep 5 &
        wait $! || true
    done
    fleet down --leave-positions
    ;;
health)
    fleet status -o json | grep -q '"gateway": "up"'
    ;;
*)
    echo "container.sh run MANIFEST | health" >&2
    exit 3
    ;;
esac
