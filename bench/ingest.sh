#!/usr/bin/env bash
# Ingest over HTTP: `culprit import` sends NDJSON in parts of 4 MiB to a server on loopback. Printed: rows and bytes per second, the server's
# peak memory, its processor time.
#
# ROWS (default 200000) sets the size, PROFILE (default release) names the build; its name is printed. With CULPRIT_SHARED the rows are those of its bench/gen_logs.py, real log lines under fresh fields;
# without it, simpler ones of a few fields, and the printed line says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rows=${ROWS:-200000}
target=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
profile=${PROFILE:-release}
# Cargo keeps what its dev profile builds in a folder of another name.
culprit=$target/${profile/#dev/debug}/culprit
folder=$(mktemp -d)
server=

stop() {
    [ -z "$server" ] || kill -TERM "$server" 2>/dev/null && wait "$server" || true
    rm -rf "$folder"
}
trap stop EXIT

make_rows() {
    if [ -n "${CULPRIT_SHARED:-}" ]; then
        python3 "$CULPRIT_SHARED/bench/gen_logs.py" "$rows" "$1"
        echo "bench/gen_logs.py"
        return
    fi
    awk -v rows="$rows" 'BEGIN {
        srand(7)
        for (i = 0; i < rows; i++)
            printf "{\"_time\":%.0f,\"host\":\"host-%03d\",\"level\":\"%s\",\"status\":%d,\"latency_ms\":%.3f,\"user_id\":\"u%05d\",\"_msg\":\"request %d done\"}\n",
                1795219200000 + i, 200 * rand(), rand() < 0.03 ? "WARN" : "INFO", rand() < 0.02 ? 500 : 200,
                1000 * rand() * rand(), 20000 * rand() * rand(), i
    }' >"$1"
    echo "awk"
}

source=$(make_rows "$folder/rows.ndjson")
bytes=$(stat -c %s "$folder/rows.ndjson")

: >"$folder/server.out"
"$culprit" serve --data "$folder/data" --http 127.0.0.1:0 >"$folder/server.out" 2>"$folder/server.err" &
server=$!
until address=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$folder/server.out") && [ -n "$address" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/server.err" >&2; exit 1; }
    sleep 0.05
done

began=$(date +%s.%N)
"$culprit" import "$folder/rows.ndjson" --server "$address" --store bench --format ndjson >"$folder/import.out"
ended=$(date +%s.%N)
stored=$("$culprit" sql 'SELECT count(*) AS n FROM bench' --server "$address" --output csv | tail -1)
[ "$stored" = "$rows" ] || { echo "sent $rows rows, $stored are there" >&2; exit 1; }

peak_kb=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status")
# Fields 14 and 15 of stat, counted behind the command's name, which may hold blanks.
ticks=$(sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }')
awk -v rows="$rows" -v bytes="$bytes" -v seconds="$(echo "$ended $began" | awk '{ print $1 - $2 }')" -v peak_kb="$peak_kb" \
    -v cpu="$(awk -v t="$ticks" -v hz="$(getconf CLK_TCK)" 'BEGIN { print t / hz }')" -v source="$source" -v profile="$profile" 'BEGIN {
    printf "ingest, %s build: %d rows (%.1f MB, %s) in %.2f s\n", profile, rows, bytes / 1e6, source, seconds
    printf "  %.0f rows/s, %.1f MB/s\n", rows / seconds, bytes / 1e6 / seconds
    printf "  server: %.0f MiB RSS at its peak, %.2f s of processor time\n", peak_kb / 1024, cpu
}'
