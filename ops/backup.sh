#!/bin/sh
# Copy what a fleet cannot be without: backup.sh FLEET_FOLDER BACKUPS [KEEP]
# The ledger (whole, while it is written), the action log, the gateway's files, the halt latch, the
# supervisor's store. No key is among them. The newest KEEP (48) copies stay.
set -eu
folder=${1:?backup.sh FLEET_FOLDER BACKUPS [KEEP]} backups=${2:?backup.sh FLEET_FOLDER BACKUPS [KEEP]}
keep=${3:-48}
python=${PYTHON:-python3}
umask 077
test -f "$folder/fleet.json" || { echo "$folder is no fleet's folder: it has no fleet.json" >&2; exit 3; }
name=$(basename "$folder")-$(date -u +%Y%m%dT%H%M%SZ)
draft=$backups/.$name
mkdir -p "$draft"
for db in ledger.db store.db; do
    test -f "$folder/$db" || continue
    "$python" -c 'import sqlite3, sys
source, target = (sqlite3.connect(path) for path in sys.argv[1:])
source.backup(target)' "$folder/$db" "$draft/$db"
done
cp -a "$folder/fleet.json" "$folder/gateway" "$draft/"
if [ -e "$folder/HALT" ]; then
    cp -a "$folder/HALT" "$draft/"
fi
mv "$draft" "$backups/$name"
echo "$backups/$name"
ls -d "$backups/$(basename "$folder")"-*Z | sort -r | tail -n "+$((keep + 1))" | while read -r old; do
    rm -rf "$old"
done
