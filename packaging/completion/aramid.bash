# bash completion for aramid. Made by tools/gen_docs.py from the tables in src/; do not edit.
_aramid() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local words='' command='' i
    COMPREPLY=()
    case $prev in
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
    --script) COMPREPLY=($(compgen -W 'repair adopt' -- "$cur")); return ;;
    --tx) COMPREPLY=($(compgen -W 'file all none' -- "$cur")); return ;;
    --phase) COMPREPLY=($(compgen -W 'pre production post' -- "$cur")); return ;;
    --skip) COMPREPLY=($(compgen -W 'validate create show status deploy generate verify' -- "$cur")); return ;;
    --format) COMPREPLY=($(compgen -W 'sql sql.zst dump' -- "$cur")); return ;;
    --method) COMPREPLY=($(compgen -W 'auto pg_dump native command' -- "$cur")); return ;;
    --prisma) COMPREPLY=($(compgen -W '5 6 7' -- "$cur")); return ;;
    --show) COMPREPLY=($(compgen -W 'columns keys names' -- "$cur")); return ;;
    --only) COMPREPLY=($(compgen -W 'config reach server ledgers tools identity' -- "$cur")); return ;;
    -C|--directory|--config|--schema|--migrations|-o|--output|--to|--to-sql|--stats|--baseline|--comment|--file|--seed|--dir|--identity|--from-schema|--from-migrations|--from-sql|--from-schema-datasource|--to-schema|--to-migrations|--to-schema-datasource) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --env|--url|--shadow-url|--against|--deployed|--name|--rename|--ticket|--as|--using|--back|--value|--into|--base|--by|--wait|--timeout|--lock-timeout|--lock-budget|--stall|--retries|--reason|--break-glass|--steps|--note|--applied|--up-to|--history|--rolled-back|--auto|--encrypt-to|--days|--confirm|--only-tables|--from-url|--to-url|--around|--depth|--schemas|-n|--count|--owner|--ttl|--profile|--branch|--project-ref|--pooler-host|--password-variable) return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -C|--directory|--env|--config|--schema|--migrations|--url|--color|-o|--output|--shadow-url|--against|--deployed|--script|--name|--rename|--to|--to-sql|--ticket|--as|--using|--back|--value|--into|--base|--stats|--baseline|--by|--comment|--wait|--timeout|--lock-timeout|--lock-budget|--stall|--retries|--tx|--reason|--break-glass|--steps|--phase|--file|--note|--seed|--skip|--applied|--up-to|--history|--rolled-back|--auto|--dir|--format|--method|--encrypt-to|--identity|--days|--confirm|--only-tables|--prisma|--from-schema|--from-migrations|--from-url|--from-sql|--from-schema-datasource|--to-schema|--to-migrations|--to-url|--to-schema-datasource|--show|--around|--depth|--schemas|-n|--count|--owner|--ttl|--only|--profile|--branch|--project-ref|--pooler-host|--password-variable) ((i++)) ;;
        -*) ;;
        *) command="${command:+$command }${COMP_WORDS[i]}" ;;
        esac
    done
    case $command in
    '') words='status report check drift plan create dev expand-contract state show describe restack squash lint stats review ci deploy rollback task verify checklist evidence verify-rollback execute seed push reset workflow resolve sync fix clean adopt unlock identity backup restore validate format schema diff erd pull generate testdb db doctor init docs link config explain help version migrate' ;;
    help) words='status report check drift plan create dev expand-contract state show describe restack squash lint stats review ci deploy rollback task verify checklist evidence verify-rollback execute seed push reset workflow resolve sync fix clean adopt unlock identity backup restore validate format schema diff erd pull generate testdb db doctor init docs link config explain help version migrate' ;;
    'stats'|'help stats') words='save' ;;
    'evidence'|'help evidence') words='add' ;;
    'identity'|'help identity') words='show set forget' ;;
    'backup'|'help backup') words='create list verify prune' ;;
    'testdb'|'help testdb') words='list drop sweep' ;;
    'db'|'help db') words='url start stop remove status pull execute seed push' ;;
    'config'|'help config') words='show' ;;
    'migrate'|'help migrate') words='dev deploy status resolve diff reset' ;;
    'status') words='--drift --html' ;;
    'report') words='--output --no-schema-changes --shadow-url' ;;
    'check') words='--notify --migrations --against --deployed --shadow-url' ;;
    'drift') words='--exit-code --notify --script --shadow-url' ;;
    'plan') words='--notify' ;;
    'create') words='--name --dry-run --empty --data --from-drift --rename --no-rename --rls --down --no-down --to --to-sql --prisma-compat --author --no-author --ticket --shadow-url' ;;
    'dev') words='--name --watch --create-only --skip-generate --skip-seed --rename --no-rename --drift --accept-data-loss' ;;
    'expand-contract') words='--as --using --back --value --into --dry-run --shadow-url' ;;
    'show') words='--down --no-down' ;;
    'restack') words='--base --check --dry-run' ;;
    'squash') words='--to --dry-run' ;;
    'lint') words='--stats --all --baseline --no-baseline --write-baseline --sarif --gitlab --markdown' ;;
    'review') words='--by' ;;
    'ci') words='--base --deployed --no-rollback --comment --sarif --gitlab' ;;
    'deploy') words='--dry-run --wait --timeout --lock-timeout --lock-budget --stall --retries --tx --create-database --no-create-database --backup --no-backup --reason --break-glass --accept-data-loss' ;;
    'rollback') words='--to --steps --failed --plan --accept-data-loss --accept-unrestored --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason --shadow-url' ;;
    'task') words='--again' ;;
    'checklist') words='--phase' ;;
    'evidence add') words='--file --ok --by --note' ;;
    'verify-rollback') words='--all --seed --shadow-url' ;;
    'execute') words='--file --stdin --dry-run --tx --from-start --accept-data-loss --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    'seed') words='--dry-run --again --accept-data-loss --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    'push') words='--accept-data-loss --force-reset --skip-generate --rename --dry-run --ignore-history --ignore-connections --create-database --no-create-database --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason --shadow-url' ;;
    'reset') words='--force --skip-seed --skip-generate --ignore-connections --dry-run --create-database --no-create-database --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    'workflow') words='--dry-run --skip' ;;
    'resolve') words='--applied --up-to --history --rolled-back --auto --dry-run --force --backup --no-backup --reason' ;;
    'sync') words='--dry-run --shadow-url --backup --no-backup --reason' ;;
    'fix') words='--dry-run --shadow-url --backup --no-backup --reason' ;;
    'clean') words='--dry-run' ;;
    'adopt') words='--up-to --dry-run --force --backup --no-backup --reason' ;;
    'identity set') words='--name' ;;
    'backup') words='--name --dir --format --method --encrypt-to --timeout' ;;
    'backup create') words='--name --dir --format --method --encrypt-to --timeout' ;;
    'backup list') words='--dir' ;;
    'backup verify') words='--dir --all --identity --drill' ;;
    'backup prune') words='--dir --days --dry-run' ;;
    'restore') words='--replace --confirm --force --name --into --only-tables --no-owner --no-privileges --dry-run --dir --identity' ;;
    'validate') words='--prisma' ;;
    'format') words='--check' ;;
    'diff') words='--from-empty --from-schema --from-migrations --from-url --from-sql --from-config-datasource --from-schema-datasource --to-empty --to-schema --to-migrations --to-url --to-sql --to-config-datasource --to-schema-datasource --script --exit-code --output --rename --prisma-compat --prisma --shadow-url' ;;
    'erd') words='--from-empty --from-schema --from-migrations --from-url --from-sql --from-config-datasource --from-schema-datasource --to-empty --to-schema --to-migrations --to-url --to-sql --to-config-datasource --to-schema-datasource --database --history --format --show --around --depth --all --rename --output --shadow-url' ;;
    'pull') words='--print --force --schemas' ;;
    'generate') words='--dry-run' ;;
    'testdb') words='--count --owner --ttl --no-seed' ;;
    'testdb drop') words='--all' ;;
    'doctor') words='--only --bundle' ;;
    'init') words='--only --profile --branch --dry-run --force --beside' ;;
    'docs') words='--to --check --force' ;;
    'link') words='--show --project-ref --pooler-host --password-variable --replace --dry-run' ;;
    'migrate dev') words='--name --create-only --skip-generate --skip-seed --rename --no-rename --drift --accept-data-loss' ;;
    'migrate resolve') words='--applied --rolled-back' ;;
    'migrate diff') words='--from-empty --from-schema --from-migrations --from-url --from-sql --from-config-datasource --from-schema-datasource --to-empty --to-schema --to-migrations --to-url --to-sql --to-config-datasource --to-schema-datasource --script --exit-code --output --rename --prisma-compat --prisma --shadow-url' ;;
    'db pull') words='--print --force --schemas' ;;
    'db execute') words='--file --stdin --dry-run --tx --from-start --accept-data-loss --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    'db seed') words='--dry-run --again --accept-data-loss --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    'db push') words='--accept-data-loss --force-reset --skip-generate --rename --dry-run --ignore-history --ignore-connections --create-database --no-create-database --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason --shadow-url' ;;
    'migrate reset') words='--force --skip-seed --skip-generate --ignore-connections --dry-run --create-database --no-create-database --wait --timeout --lock-timeout --lock-budget --stall --backup --no-backup --reason' ;;
    esac
    [[ $command == help ]] && words+=' --all --errors'
    words+=' --directory --env --config --schema --migrations --url --yes --json --color --quiet --verbose --help --version'
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _aramid aramid
