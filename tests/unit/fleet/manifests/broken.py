"""Sixty broken manifests, each with the line, key and mend that its refusal names."""

HEAD = "fleet: t\nnetwork: paper\n"
LIVE = "fleet: t\nnetwork: mainnet\n"
ADDRESS = '"0x' + "ab" * 20 + '"'
ACCOUNT = f"account: {{address: {ADDRESS}, api_wallet: {{env: FLEET_API_KEY}}}}\n"
BTC = "markets:\n  - asset: BTC\n    margin_usd: 1000\n"
SECRET = "5e" * 32

BROKEN = {
    # text and form
    "empty": ("", "m.yaml:1: the manifest is empty; start from manifests/paper.yaml"),
    "a list": ("- a\n", "m.yaml:1: the manifest is not a mapping of keys"),
    "a word": ("hello\n", "m.yaml:1: the manifest is not a mapping of keys"),
    "an open bracket": (HEAD + "markets: [\n", "m.yaml:4: broken YAML"),
    "a tab": (HEAD + "markets:\n\t- asset: BTC\n", "m.yaml:4: broken YAML: a tab stands"),
    "bad indentation": (HEAD + "markets:\n  - asset: BTC\n margin: 1\n", "m.yaml:5: broken YAML"),
    "an open quote": ('fleet: "t\nnetwork: paper\n', "m.yaml:3: broken YAML"),
    "two documents": (HEAD + BTC + "---\nfleet: u\n", "m.yaml:6: broken YAML: a second document"),
    "a foreign tag": (HEAD + "paper: !!python/object:os.system {}\n" + BTC, "m.yaml:3: broken"),
    "not UTF-8": (b"fleet: t\nnetwork: \xff\n", "m.yaml:2: is not UTF-8 text; save it as UTF-8"),
    "a control character": (HEAD + "risk: \x07\n", "m.yaml:3: broken YAML: the character U+0007"),
    "an alias to itself": (HEAD + "paper: &a {latency_ms: *a}\n" + BTC, "m.yaml:3: broken YAML"),
    "an alias unknown": (HEAD + "paper: *a\n" + BTC, "m.yaml:3: broken YAML"),
    "a date that is none": (HEAD + "risk: 2026-13-45\n" + BTC, "m.yaml:3: risk: '2026-13-45'"),
    # keys
    "unknown key": (HEAD + "foo: 1\n" + BTC, "m.yaml:3: foo: unknown key 'foo'; allowed here:"),
    "misspelt key": (HEAD + "markts: []\n" + BTC, "m.yaml:3: markts: unknown key 'markts'; did"),
    "unknown key of a market": (
        HEAD + BTC + "    margn_usd: 5\n",
        "m.yaml:6: markets[0].margn_usd: unknown key 'margn_usd'; did you mean margin_usd?",
    ),
    "unknown strategy leaf": (
        HEAD + BTC + "    strategy: {levls: 3}\n",
        "m.yaml:6: markets[0].strategy.levls: unknown key 'levls'; did you mean levels?",
    ),
    "unknown key in defaults": (
        HEAD + "defaults:\n  leverag: 3\n" + BTC,
        "m.yaml:4: defaults.leverag: unknown key 'leverag'; did you mean leverage?",
    ),
    "asset in defaults": (HEAD + "defaults: {asset: BTC}\n" + BTC, "m.yaml:3: defaults.asset: unk"),
    "duplicate key": (
        HEAD + BTC + "    margin_usd: 2\n",
        "m.yaml:6: markets[0].margin_usd: duplicate key, first given on line 5; keep one",
    ),
    "duplicate top key": ("fleet: a\n" + HEAD + BTC, "m.yaml:2: fleet: duplicate key, first given"),
    # missing
    "no fleet": ("network: paper\n" + BTC, "m.yaml:1: fleet: is missing; add fleet: paper"),
    "no network": ("fleet: t\n" + BTC, "m.yaml:1: network: is missing; add network: paper"),
    "no markets": (HEAD, "m.yaml:1: markets: is missing; add markets: [{asset: BTC}]"),
    "empty markets": (HEAD + "markets: []\n", "m.yaml:3: markets: names no market; list at least"),
    "null markets": (HEAD + "markets:\n", "m.yaml:3: markets: an empty value is not a list"),
    "no asset": (HEAD + "markets:\n  - margin_usd: 5\n", "m.yaml:4: markets[0].asset: is missing"),
    "no margin": (
        HEAD + "markets:\n  - asset: BTC\n",
        "m.yaml:4: markets[0].margin_usd: is missing, here and in defaults; add e.g. margin_usd:",
    ),
    "a market that is a word": (HEAD + "markets:\n  - BTC\n", "m.yaml:4: markets[0]: 'BTC' is not"),
    # hours, canaries, a DEX's end
    "hours that are none": (
        HEAD + BTC + '    schedule: {hours: "9-17"}\n',
        "m.yaml:6: markets[0].schedule.hours: '9-17' is not of the right form; give from when to",
    ),
    "no hours": (
        HEAD + BTC + "    schedule: {timezone: UTC}\n",
        "m.yaml:6: markets[0].schedule.hours: is missing; add hours: 09:30-16:00",
    ),
    "a zone nobody knows": (
        HEAD + BTC + '    schedule: {hours: "09:30-16:00", timezone: Mars/Base}\n',
        "m.yaml:6: markets[0].schedule.timezone: 'Mars/Base' is no time zone that is known here;",
    ),
    "a day that is none": (
        HEAD + BTC + '    schedule: {hours: "09:30-16:00", days: [mon, lundi]}\n',
        "m.yaml:6: markets[0].schedule.days[1]: 'lundi' is not one of mon, tue, wed, thu, fri",
    ),
    "a holiday that is none": (
        HEAD + BTC + '    schedule: {hours: "09:30-16:00", holidays: ["25.12."]}\n',
        "m.yaml:6: markets[0].schedule.holidays[0]: '25.12.' is no date; write one such as 2026",
    ),
    "a gate that is no share": (
        HEAD + "rollout: {gates: {loss_max_share: 2}}\n" + BTC,
        "m.yaml:3: rollout.gates.loss_max_share: 2 is above 1; give its loss as a share",
    ),
    "a wish for the inconclusive": (
        HEAD + "rollout: {on_inconclusive: hope}\n" + BTC,
        "m.yaml:3: rollout.on_inconclusive: 'hope' is not one of promote, rollback, pause; write",
    ),
    "a canary of another fleet": (
        HEAD + "rollout: {canary: [DOGE]}\n" + BTC,
        "m.yaml:3: rollout.canary[0]: 'DOGE' is no market of this manifest; name one of BTC",
    ),
    "an end of a DEX": (
        HEAD + "dexes: {hyna: {on_remove: sell}}\nmarkets:\n  - {asset: BTC, dex: hyna,"
        " margin_usd: 1000}\n",
        "m.yaml:3: dexes.hyna.on_remove: 'sell' is not one of keep, return; write one of them",
    ),
    # values
    "negative margin": (
        HEAD + "markets:\n  - asset: BTC\n    margin_usd: -5\n",
        "m.yaml:5: markets[0].margin_usd: -5 is not above 0; give the margin in USD",
    ),
    "margin without a number": (
        HEAD + "markets:\n  - asset: BTC\n    margin_usd: 5e3\n",
        "m.yaml:5: markets[0].margin_usd: '5e3' is not a number; give the margin in USD",
    ),
    "margin that is no number": (
        HEAD + "markets:\n  - asset: BTC\n    margin_usd: .nan\n",
        "m.yaml:5: markets[0].margin_usd: nan is not a finite number",
    ),
    "endless margin": (
        HEAD + "markets:\n  - asset: BTC\n    margin_usd: .inf\n",
        "m.yaml:5: markets[0].margin_usd: inf is not a finite number",
    ),
    "yes for a number": (
        HEAD + "markets:\n  - asset: BTC\n    margin_usd: yes\n",
        "m.yaml:5: markets[0].margin_usd: true is not a number",
    ),
    "half a leverage": (
        HEAD + BTC + "    leverage: 2.5\n",
        "m.yaml:6: markets[0].leverage: 2.5 is",
    ),
    "leverage 0": (HEAD + BTC + "    leverage: 0\n", "m.yaml:6: markets[0].leverage: 0 is below 1"),
    "leverage in defaults": (
        HEAD + "defaults: {leverage: 99}\n" + BTC,
        "m.yaml:3: defaults.leverage: 99 is above 50; give the leverage",
    ),
    "word for a switch": (
        HEAD + BTC + "    isolated: maybe\n",
        "m.yaml:6: markets[0].isolated: 'maybe' is not true or false",
    ),
    "too many levels": (
        HEAD + BTC + "    strategy: {levels: 99}\n",
        "m.yaml:6: markets[0].strategy.levels: 99 is above 25; give the number of orders a side",
    ),
    "a bad choice": (
        HEAD + BTC + "    on_orphan: {do: panic}\n",
        "m.yaml:6: markets[0].on_orphan.do: 'panic' is not one of hold, reduce, flatten; write",
    ),
    "unknown network": (
        "fleet: t\nnetwork: devnet\n" + BTC,
        "m.yaml:2: network: 'devnet' is not one of paper, testnet, mainnet",
    ),
    "fleet in capitals": ("fleet: Prod\nnetwork: paper\n" + BTC, "m.yaml:1: fleet: 'Prod' is not"),
    "fleet without quotes": ("fleet: 7\nnetwork: paper\n" + BTC, "m.yaml:1: fleet: 7 is not text"),
    "fleet that is a folder": (
        "fleet: locks\nnetwork: paper\n" + BTC,
        "m.yaml:1: fleet: 'locks' is reserved; choose another name",
    ),
    "unknown flow": (HEAD + "paper: {flow: calm}\n" + BTC, "m.yaml:3: paper.flow: 'calm' is not"),
    "no recording there": (
        HEAD + "paper: {recording: gone.zst}\n" + BTC,
        "m.yaml:3: paper.recording: gone.zst does not exist; name a recording",
    ),
    "recording unset": (
        HEAD + "paper:\n  recording: {env: FLEET_NOT_SET}\n" + BTC,
        "m.yaml:4: paper.recording: environment variable FLEET_NOT_SET is not set; export FLEET_",
    ),
    # names
    "duplicate market": (
        HEAD + BTC + "  - asset: BTC\n    margin_usd: 5\n",
        "m.yaml:6: markets[1].asset: duplicate market BTC, first given on line 4; keep one",
    ),
    "duplicate by prefix": (
        HEAD + BTC + "    dex: hyna\n  - {asset: 'hyna:BTC', dex: hyna, margin_usd: 5}\n",
        "m.yaml:7: markets[1].asset: duplicate market hyna:BTC, first given on line 4",
    ),
    "wrong prefix": (
        HEAD + "markets:\n  - {asset: 'xyz:BTC', dex: hyna, margin_usd: 5}\n",
        "m.yaml:4: markets[0].asset: 'xyz:BTC' has another prefix than dex: hyna; write BTC or",
    ),
    "prefix without dex": (
        HEAD + "markets:\n  - {asset: 'hyna:BTC', margin_usd: 5}\n",
        "m.yaml:4: markets[0].asset: 'hyna:BTC' names a DEX that the market doesn't; add dex: hyna",
    ),
    "unknown DEX": (
        HEAD + BTC + "    dex: hyn\n",
        "m.yaml:6: markets[0].dex: unknown DEX 'hyn' on the embedded exchange; did you mean hyna?",
    ),
    "unknown asset": (
        HEAD + "markets:\n  - {asset: btc, margin_usd: 500}\n",
        "m.yaml:4: markets[0].asset: btc is not listed on the embedded exchange; did you mean BTC?",
    ),
    "delisted asset": (
        HEAD + "markets:\n  - {asset: MATIC, margin_usd: 500}\n",
        "m.yaml:4: markets[0].asset: MATIC is delisted on the embedded exchange; name one of BTC",
    ),
    "leverage above the venue's": (
        HEAD + "markets:\n  - {asset: WLFI, margin_usd: 500, leverage: 6}\n",
        "m.yaml:4: markets[0].leverage: 6 is above the venue's 5 for WLFI; give at most 5",
    ),
    "isolated only": (
        HEAD + "markets:\n  - {asset: CRCL, dex: xyz, margin_usd: 500}\n",
        "m.yaml:4: markets[0].isolated: xyz:CRCL may be held with isolated margin only; add",
    ),
    # sense
    "loss above a fifth": (
        HEAD + BTC + "    risk: {daily_loss_max_usd: 300}\n",
        "m.yaml:6: markets[0].risk.daily_loss_max_usd: 300 is above 20 % of margin_usd, 200; give",
    ),
    "loss above a fifth by default": (
        HEAD + "defaults:\n  risk: {daily_loss_max_usd: 300}\n" + BTC,
        "m.yaml:4: defaults.risk.daily_loss_max_usd: 300 is above 20 % of margin_usd, 200; give",
    ),
    "gross below the sum": (
        HEAD + "risk:\n  gross_notional_max_usd: 999\n" + BTC,
        "m.yaml:4: risk.gross_notional_max_usd: 999 is below the sum of the markets' position_max",
    ),
    "underlying below the sum": (
        HEAD
        + "risk: {underlying_gross_max_usd: 1500}\n"
        + BTC
        + "  - {asset: BTC, dex: hyna, margin_usd: 1000}\n",
        "m.yaml:3: risk.underlying_gross_max_usd: 1500 is below the sum of the position_max_usd of",
    ),
    "loss below the sum": (
        HEAD + "risk: {daily_loss_max_usd: 10}\n" + BTC,
        "m.yaml:3: risk.daily_loss_max_usd: 10 is below the sum of the markets' daily_loss_max_usd",
    ),
    "DEX margins above its cap": (
        HEAD + "dexes: {hyna: {margin_max_usd: 900}}\n" + BTC + "    dex: hyna\n",
        "m.yaml:3: dexes.hyna.margin_max_usd: 900 is below the sum of its margins, 1000; raise",
    ),
    "a DEX without a market": (
        HEAD + "dexes: {hyn: {}}\n" + BTC,
        "m.yaml:3: dexes.hyn: unknown DEX 'hyn': no market here is on it; remove it",
    ),
    "canary that is none": (
        HEAD + "rollout: {canary: [ETH]}\n" + BTC,
        "m.yaml:3: rollout.canary[0]: 'ETH' is no market of this manifest; name one of BTC",
    ),
    "spread below fees": (
        HEAD + BTC + "    strategy: {half_spread_floor_bps: 1.9}\n",
        "m.yaml:6: markets[0].strategy.half_spread_floor_bps: 1.9 is below fee + edge (1.5 + 0.5",
    ),
    "floor above the widest": (
        HEAD + BTC + "    strategy: {half_spread_max_bps: 5}\n",
        "m.yaml:6: markets[0].strategy.half_spread_max_bps: 5 is below half_spread_floor_bps, 8",
    ),
    "clip above the position": (
        HEAD + BTC + "    strategy: {clip_usd: 1001}\n",
        "m.yaml:6: markets[0].strategy.clip_usd: 1001 is above position_max_usd, 1000; make",
    ),
    "ages out of order": (
        HEAD + BTC + "    risk: {data_age_halt_s: 1}\n",
        "m.yaml:6: markets[0].risk.data_age_halt_s: 1 is below data_age_max_s, 3; give at least 3",
    ),
    # live networks
    "no address": (
        LIVE + "account: {api_wallet: {env: K}}\n" + BTC,
        "m.yaml:3: account.address: is missing on mainnet; add account: {address:",
    ),
    "no wallet": (
        LIVE + f"account:\n  address: {ADDRESS}\n" + BTC,
        "m.yaml:3: account.api_wallet: is missing on mainnet; add api_wallet: {env: FLEET_API_KEY}",
    ),
    "short address": (
        LIVE + 'account: {address: "0xabc", api_wallet: {env: K}}\n' + BTC,
        "m.yaml:3: account.address: '0xabc' is not of the right form; give the account's address",
    ),
    "address without quotes": (
        LIVE + "account: {address: 0xabc, api_wallet: {env: K}}\n" + BTC,
        "m.yaml:3: account.address: 2748 is not text; give the account's address in quotes",
    ),
    "two sources of the key": (
        LIVE + f"account: {{address: {ADDRESS}, api_wallet: {{env: K, file: k}}}}\n" + BTC,
        "m.yaml:3: account.api_wallet: names more than one source; write {env: FLEET_API_KEY}",
    ),
    "one wallet twice": (
        LIVE
        + f"account: {{address: {ADDRESS}, api_wallet: {{env: K}}, halt_wallet: {{env: K}}}}\n"
        + BTC,
        "m.yaml:3: account.halt_wallet: is the api_wallet's own source: both would sign under",
    ),
    "keystore without passphrase": (
        LIVE + f"account: {{address: {ADDRESS}, api_wallet: {{keystore: k}}}}\n" + BTC,
        "m.yaml:3: account.api_wallet: keystore and passphrase_env belong together; write",
    ),
    "paper on mainnet": (
        LIVE + ACCOUNT + "paper: {seed: 1}\n" + BTC,
        "m.yaml:4: paper: there is no embedded exchange on mainnet; remove it, or write network:",
    ),
    "a key as a literal": (
        LIVE + f"account:\n  address: {ADDRESS}\n  api_wallet: 0x{SECRET}\n" + BTC,
        "m.yaml:5: account.api_wallet: 64 hex digits look like a private key, and a key must not",
    ),
    "a key in a comment": (HEAD + BTC + f"# was {SECRET}\n", "m.yaml:6: 64 hex digits look like"),
    "a password as a literal": (
        LIVE + f"account: {{address: {ADDRESS}, api_wallet: hunter2}}\n" + BTC,
        "m.yaml:3: account.api_wallet: a key must not stand in a manifest; write {env: FLEET_API",
    ),
}
