#!/bin/sh
# Roll out the paper manifest, let it trade, show it: demo.sh FLEET_COMMAND
set -eu
fleet=$1
prefix=${FLEET_HOME:+FLEET_HOME=$FLEET_HOME }

"$fleet" apply manifests/paper.yaml --yes --wait 120
echo
echo "trading for 30 s ..."
sleep 30
"$fleet" --fleet paper status
cat <<END

The fleet goes on trading. Try next:
  $prefix$fleet --fleet paper status            the same, now
  $prefix$fleet --fleet paper logs BTC          what one market's agent wrote down
  $prefix$fleet --fleet paper halt --reason try     cancel everything, and prove it
  $prefix$fleet --fleet paper resume --reason tried
  $prefix$fleet --fleet paper down              stop every process
END
