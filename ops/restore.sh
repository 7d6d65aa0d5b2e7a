#!/bin/sh
# Put a backup back: restore.sh BACKUP FLEET_FOLDER. The fleet must be down; what stood in the
# folder is kept beside it. Then `fleet apply`, which takes orders and positions from the venue. A
# latch that was set is set again, and one that is set now stays: no restore lifts a halt.
# `fleet ledger check` tells whether the books still agree.
set -eu
backup=${1:?restore.sh BACKUP FLEET_FOLDER} folder=${2:?restore.sh BACKUP FLEET_FOLDER}
test -f "$backup/fleet.json" || { echo "$backup is no backup: it has no fleet.json" >&2; exit 3; }
if [ -f "$folder/lock" ] && ! "${PYTHON:-python3}" -c 'import fcntl, sys
fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)' "$folder/lock" 2>/dev/null; then
    echo "$folder is in use; fleet down, then restore" >&2
    exit 6
fi
umask 077
before=$folder.before-restore-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$(dirname "$folder")"
rm -rf "$folder.new"
cp -a "$backup" "$folder.new"
if [ -e "$folder/HALT" ]; then
    cp -a "$folder/HALT" "$folder.new/"
fi
if [ -d "$folder" ]; then
    mv "$folder" "$before"
fi
mv "$folder.new" "$folder"
echo "restored; now: fleet apply MANIFEST"
