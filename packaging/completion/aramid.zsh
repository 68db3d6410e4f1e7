#compdef aramid
# zsh completion for aramid. Made by tools/gen_docs.py from the tables in src/; do not edit.
_aramid() {
    local -a general commands special
    local command='' word skip=''
    general=(
        '--directory[work as if started in this folder; other paths are relative to it]:path:_files'
        '-C[work as if started in this folder; other paths are relative to it]:path:_files'
        '--env[environment\: development, staging, production, or a name that aramid.yaml defines]:name:'
        '--config[configuration file\: aramid.yaml or prisma.config.*]:path:_files'
        '--schema[schema.prisma, or a folder of .prisma files]:path:_files'
        '--migrations[folder of the migrations]:path:_files'
        '--url[connection URL of the database; without any URL, in development, the project'\''s embedded PostgreSQL is used]:url:'
        '--yes[do not ask\: confirm what the command is about to do]'
        '-y[do not ask\: confirm what the command is about to do]'
        '--json[print the result as JSON on standard output]'
        '--color[colours\: auto, always or never]:value:(auto always never)'
        '--quiet[print results and errors only]'
        '-q[print results and errors only]'
        '--verbose[tell more]'
        '-v[tell more]'
        '--help[show help and exit]'
        '-h[show help and exit]'
        '--version[show the version and exit]'
        '-V[show the version and exit]'
    )
    commands=(
        'status:show what is applied, pending or wrong'
        'check:check that schema, migrations and database agree'
        'drift:find what was changed in the database by hand'
        'plan:show what deploy would do'
        'create:write the next migration from the schema'
        'restack:move this branch'\''s migrations behind those that arrived earlier'
        'deploy:apply the pending migrations'
        'rollback:undo the newest migrations'
        'verify-rollback:prove that migrations can be rolled back'
        'execute:run a SQL script'
        'workflow:validate, status, deploy, generate, verify\: a whole release'
        'resolve:correct the history by hand'
        'sync:make files, history and database agree'
        'fix:repair the rows of the history table'
        'clean:remove what interrupted and old runs have left'
        'adopt:move a database to another tool'\''s history'
        'unlock:show or end orphaned migration runs'
        'identity:Migrations'
        'backup:Backups'
        'restore:bring a backup back, beside the database or in its place'
        'validate:check schema.prisma'
        'format:lay out schema.prisma'
        'schema:show what schema.prisma says'
        'diff:compare two schemas; the SQL from one to the other'
        'pull:write schema.prisma from the database'
        'generate:run the project'\''s own generator (Prisma'\''s, drizzle-kit'\''s)'
        'db:Embedded PostgreSQL'
        'doctor:find what is wrong before the night does'
        'init:set up a project\: scripts, workflows, images'
        'link:say which Supabase project an environment is'
        'config:show every setting and its origin'
        'explain:explain an error or a finding'
        'help:explain commands, options and errors'
        'version:show the version'
        'migrate:Prisma'\''s spellings'
    )
    for word in ${words[2,CURRENT-1]}; do
        if [[ -n $skip ]]; then
            skip=''
        elif [[ $word == (-C|--directory|--env|--config|--schema|--migrations|--url|--color|--against|--shadow-url|--script|--name|--rename|--to-sql|--ticket|--base|--wait|--timeout|--lock-timeout|--lock-budget|--retries|--tx|--reason|--to|--steps|--file|--skip|--applied|--up-to|--history|--rolled-back|--auto|--dir|--format|--method|--encrypt-to|--identity|--days|--confirm|--into|--only-tables|--prisma|--from-schema|--from-migrations|--from-url|--from-sql|--from-schema-datasource|--to-schema|--to-migrations|--to-url|--to-schema-datasource|-o|--output|--schemas|--only|--profile|--branch|--project-ref|--pooler-host|--password-variable) ]]; then
            skip=1
        elif [[ $word != -* ]]; then
            command="${command:+$command }$word"
        fi
    done
    case $command in
    ''|help) _describe -t commands command commands ;;
    'identity'|'help identity') special=('show:the same as `aramid identity`' 'set:say which environment the database is' 'forget:take out which environment the database is'); _describe -t commands command special ;;
    'backup'|'help backup') special=('create:the same as `aramid backup`' 'list:show the backups there are' 'verify:read a backup back and compare it' 'prune:remove old backups'); _describe -t commands command special ;;
    'db'|'help db') special=('url:start the embedded server and print its URL' 'start:make and start the embedded server' 'stop:stop the embedded server; its data stays' 'remove:delete the embedded server with all its data' 'status:show whether the embedded server runs' 'pull:what pull does, as Prisma spells it' 'execute:what execute does, as Prisma spells it'); _describe -t commands command special ;;
    'config'|'help config') special=('show:show every setting and its origin'); _describe -t commands command special ;;
    'migrate'|'help migrate') special=('dev:what create does, as Prisma spells it' 'deploy:what deploy does, as Prisma spells it' 'status:what status does, as Prisma spells it' 'resolve:what resolve does, as Prisma spells it' 'diff:what diff does, as Prisma spells it'); _describe -t commands command special ;;
    esac
    special=()
    case $command in
    'status'*) special=('--drift[look for drift too, as `aramid drift` does]') ;;
    'check'*) special=('--migrations[folder of the migrations; without DIR\: check only these, and that the database has all of them and nothing beside them]:path:_files' '--against[another branch, or a folder of migrations\: do its migrations and these go together?]:ref|dir:' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:') ;;
    'drift'*) special=('--exit-code[exit with status 2 when there is drift]' '--script[print SQL only\: repair undoes the drift in the database, adopt makes it elsewhere]:value:(repair adopt)' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:') ;;
    'create'*) special=('--name[the name, as Prisma'\''s option has it]:name:' '--dry-run[print the migration and write nothing]' '--empty[a file to fill in]' '--data[a file to fill in that changes rows]' '--from-drift[what was done to the database by hand\: the migration, schema.prisma, and the history of the database, which then has it already]' '--rename[a renamed table, column, enum or value, whose data stays\: User.mail\:email]:old:new:' '--no-rename[nothing was renamed\: what looks so is dropped, with what it holds]' '--rls[switch row-level security on for new tables]' '--down[also write the way back\: down.sql (setting create.down)]' '--no-down[also write the way back\: down.sql (setting create.down)]' '--to-sql[make it of a file, or folder of files, of SQL that make the schema]:path:_files' '--prisma-compat[exactly what Prisma'\''s engine writes, its mistakes included]' '--author[write git'\''s user into the head of the file (setting create.author)]' '--no-author[write git'\''s user into the head of the file (setting create.author)]' '--ticket[write this into the head of the file]:text:' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:') ;;
    'restack'*) special=('--base[branch or commit of git that has what arrived earlier; default\: the main branch, of origin first]:ref:' '--check[only look, for merge queues\: exit status 15 where some come too early]' '--dry-run[show the new names and rename nothing]') ;;
    'deploy'*) special=('--dry-run[show the plan and change nothing; the same as `aramid plan`]' '--wait[how long to wait for another run to finish]:duration:' '--timeout[limit for the whole run; 0 = none]:duration:' '--lock-timeout[longest time that others may queue behind a waiting DDL statement]:duration:' '--lock-budget[how long to try for a table lock before giving up]:duration:' '--retries[tries after the first, at a lost connection, a deadlock or a serialization failure]:n:' '--tx[one transaction for each migration (file, the usual), for all of them (all), or for each statement, with a journal (none)]:value:(file all none)' '--create-database[create the database when it does not exist]' '--no-create-database[create the database when it does not exist]' '--backup[make a backup before anything is changed; production does so by itself]' '--no-backup[make a backup before anything is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:' '--accept-data-loss[agree to migrations that drop or empty tables, columns or schemas of production; --yes alone does not; the variable names them]') ;;
    'rollback'*) special=('--to[back to this migration\: it stays, all newer ones are rolled back]:name:' '--steps[roll back the newest N migrations; default\: 1]:n:' '--plan[print the SQL, newest first, and what would be lost; nothing is changed]' '--accept-data-loss[agree to losing the rows of tables, and the values of columns, that the migrations made; --yes alone does not]' '--accept-unrestored[agree that rows stay as INSERT, UPDATE and DELETE of the migrations left them]' '--wait[how long to wait for another run to finish]:duration:' '--timeout[limit for the whole run; 0 = none]:duration:' '--lock-timeout[longest time that others may queue behind a waiting DDL statement]:duration:' '--lock-budget[how long to try for a table lock before giving up]:duration:' '--backup[make a backup before anything is changed; production does so by itself]' '--no-backup[make a backup before anything is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:') ;;
    'verify-rollback'*) special=('--all[try every migration of the folder; needs no database]' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:') ;;
    'execute'*) special=('--file[the script]:path:_files' '--stdin[read the script from standard input]' '--dry-run[show the steps, their locks and what would be lost; nothing is changed]' '--tx[one transaction where the statements allow it (file, the usual), one in any case (all), or one for each statement, with a journal (none)]:value:(file all none)' '--from-start[begin with the first statement, also where an interrupted run of this script has stopped further on]' '--accept-data-loss[agree to losing the rows of tables, and the values of columns, that the script drops; --yes alone does not]' '--wait[how long to wait for another run to finish]:duration:' '--timeout[limit for the whole run; 0 = none]:duration:' '--lock-timeout[longest time that others may queue behind a waiting DDL statement]:duration:' '--lock-budget[how long to try for a table lock before giving up]:duration:' '--backup[make a backup before anything is changed; production does so by itself]' '--no-backup[make a backup before anything is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    'workflow'*) special=('--dry-run[run what changes nothing, and show what the others would do]' '--skip[leave this step out]:value:(validate status deploy generate verify)') ;;
    'resolve'*) special=('--applied[record this migration as applied, without running it]:name:' '--up-to[with --applied\: this migration and all older ones (baseline)]:name:' '--history[with --up-to, of several histories only this one\: prisma, supabase]:tool:' '--rolled-back[record this failed migration as rolled back, so that it runs again]:name:' '--auto[decide by comparing the database with what the migration changes; without NAME\: for every failed one]:name:' '--dry-run[with --auto\: only tell what it would decide, and by what evidence]' '--force[believe it without looking for the objects that the migration makes]' '--backup[make a backup before the history is changed; production does so by itself]' '--no-backup[make a backup before the history is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    'sync'*) special=('--dry-run[show the differences and repairs, and change nothing]' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:' '--backup[make a backup before the history is changed; production does so by itself]' '--no-backup[make a backup before the history is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    'fix'*) special=('--dry-run[show the differences and repairs, and change nothing]' '--shadow-url[an empty database to replay the migrations in; default\: a private server]:url:' '--backup[make a backup before the history is changed; production does so by itself]' '--no-backup[make a backup before the history is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    'clean'*) special=('--dry-run[only list what would be removed]') ;;
    'adopt'*) special=('--up-to[only this migration and all older ones; the next deploy runs the rest]:name:' '--dry-run[only compare and show what would be recorded]' '--force[record them without comparing the database with what they make]' '--backup[make a backup before the history is made; production does so by itself]' '--no-backup[make a backup before the history is made; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    'identity set'*) special=('--name[a word for people beside it\: "copy of Monday"]:text:') ;;
    'backup'*) special=('--name[name of its files instead of the time, such as '\''backup-%Y%m%d-%H%M'\'' (UTC)]:pattern:' '--dir[folder of the backups; default\: backups]:path:_files' '--format[sql, sql.zst (compressed) or dump (for pg_restore)]:value:(sql sql.zst dump)' '--method[pg_dump, native (Aramid'\''s own dump), command, or auto]:value:(auto pg_dump native command)' '--encrypt-to[public keys of age (age1...), with commas between them]:keys:' '--timeout[limit for the whole backup; 0 = none]:duration:') ;;
    'backup create'*) special=('--name[name of its files instead of the time, such as '\''backup-%Y%m%d-%H%M'\'' (UTC)]:pattern:' '--dir[folder of the backups; default\: backups]:path:_files' '--format[sql, sql.zst (compressed) or dump (for pg_restore)]:value:(sql sql.zst dump)' '--method[pg_dump, native (Aramid'\''s own dump), command, or auto]:value:(auto pg_dump native command)' '--encrypt-to[public keys of age (age1...), with commas between them]:keys:' '--timeout[limit for the whole backup; 0 = none]:duration:') ;;
    'backup list'*) special=('--dir[folder of the backups; default\: backups]:path:_files') ;;
    'backup verify'*) special=('--dir[folder of the backups; default\: backups]:path:_files' '--all[every backup of the folder]' '--identity[file with the secret key of age, for encrypted ones]:path:_files' '--drill[restore it into a throwaway server of our own, and compare every table]') ;;
    'backup prune'*) special=('--dir[folder of the backups; default\: backups]:path:_files' '--days[keep those of so many days; default\: 30]:n:' '--dry-run[only say which would be removed]') ;;
    'restore'*) special=('--replace[give the restored database the name of the project'\''s one, which is kept under a dated name]' '--confirm[with --replace\: the database'\''s name, where nobody can be asked]:name:' '--force[with --replace\: end the sessions of others on it]' '--name[name of the new database]:name:' '--into[restore into this empty database, where none may be made]:url:' '--only-tables[rows of these tables only, and of those that their foreign keys need; with --into\: into empty tables of a database that is in use]:tables:' '--no-owner[everything belongs to the role that restores]' '--no-privileges[leave GRANT and REVOKE out]' '--dry-run[read the backup, look at the server, say what would be done]' '--dir[folder of the backups; default\: backups]:path:_files' '--identity[file with the secret key of age, for encrypted ones]:path:_files') ;;
    'validate'*) special=('--prisma[hold to one generation of Prisma\: 5, 6 or 7; without it, what any of them accepts is valid, with a warning where they disagree]:value:(5 6 7)') ;;
    'format'*) special=('--check[change nothing; name the files that are not formatted and exit with 1]') ;;
    'diff'*) special=('--from-empty[from an empty database]' '--from-schema[from a schema.prisma, or a folder of .prisma files]:path:_files' '--from-migrations[from what the migrations of a folder make]:path:_files' '--from-url[from a live database]:url:' '--from-sql[from what a file, or a folder of files, of SQL makes]:path:_files' '--from-config-datasource[from the database that the configuration names]' '--from-schema-datasource[from the database that this schema'\''s project uses]:path:_files' '--to-empty[to an empty database]' '--to-schema[to a schema.prisma, or a folder of .prisma files]:path:_files' '--to-migrations[to what the migrations of a folder make]:path:_files' '--to-url[to a live database]:url:' '--to-sql[to what a file, or a folder of files, of SQL makes]:path:_files' '--to-config-datasource[to the database that the configuration names]' '--to-schema-datasource[to the database that this schema'\''s project uses]:path:_files' '--script[print the SQL instead of a summary]' '--exit-code[exit with 0 when both are equal, 2 when they differ, 1 for every error]' '--output[write the result into this file]:path:_files' '-o[write the result into this file]:path:_files' '--rename[rename instead of dropping and adding\: User\:Account, User.mail\:email, Role.ADMIN\:OWNER]:old:new:' '--prisma-compat[print what Prisma'\''s engine would, its mistakes included]' '--prisma[generation of Prisma whose rules hold\: 6 or 7]:value:(6 7)' '--shadow-url[replay on this empty database instead of a private PostgreSQL]:url:') ;;
    'pull'*) special=('--print[print the schema on standard output and write no file]' '--force[begin anew\: of the schema that is there only the datasource and the generators stay; nobody is asked]' '--schemas[schemas of the database to read; they are written into the datasource]:a,b:') ;;
    'generate'*) special=('--dry-run[show the command line and run nothing]') ;;
    'doctor'*) special=('--only[look at one area only\: config, reach, server, ledgers, tools or identity]:value:(config reach server ledgers tools identity)' '--bundle[write an archive for support to FILE, or aramid-doctor-TIME.tar\: findings, status, configuration, events of the last runs; no passwords, no rows, no SQL]') ;;
    'init'*) special=('--only[write these parts only\: npm, github, vercel, docker, k8s, with commas between them; default\: what the project uses]:parts:' '--profile[what the names of scripts mean\: workflow, deploy, create, develop or prisma (docs/init.md)]:name:' '--branch[deploy this branch to this environment, instead of the branches that are there]:branch=env:' '--dry-run[show every change and write nothing]' '--force[replace scripts and files that are there with another text; YAML never]' '--beside[write what is kept because it is there with another text beside it, as FILE.aramid-new]') ;;
    'link'*) special=('--project-ref[the project, as its dashboard'\''s address has it; without it, the environments are shown]:ref:' '--pooler-host[host of the session pooler (IPv4), as the dashboard shows it under Connect; default\: what `supabase link` has kept of this project, else the direct host (IPv6)]:host:' '--password-variable[variable that holds the password; default\: SUPABASE_DB_PASSWORD]:name:' '--replace[in place of another direct_url of the environment]' '--dry-run[show what would be written and write nothing]') ;;
    'help'*) special=('--all[the help of every command, hidden ones included]' '--errors[the table of errors and exit statuses]') ;;
    'migrate dev'*) special=('--name[what it changes, in a few words]:name:' '-n[what it changes, in a few words]:name:' '--create-only[write the migration and apply nothing]' '--rename[a renamed table, column, enum or value, whose data stays\: User.mail\:email]:old:new:' '--no-rename[nothing was renamed\: what looks so is dropped, with what it holds]') ;;
    'migrate resolve'*) special=('--applied[record this migration as applied, without running it]:name:' '--rolled-back[record this failed migration as rolled back]:name:') ;;
    'migrate diff'*) special=('--from-empty[from an empty database]' '--from-schema[from a schema.prisma, or a folder of .prisma files]:path:_files' '--from-migrations[from what the migrations of a folder make]:path:_files' '--from-url[from a live database]:url:' '--from-sql[from what a file, or a folder of files, of SQL makes]:path:_files' '--from-config-datasource[from the database that the configuration names]' '--from-schema-datasource[from the database that this schema'\''s project uses]:path:_files' '--to-empty[to an empty database]' '--to-schema[to a schema.prisma, or a folder of .prisma files]:path:_files' '--to-migrations[to what the migrations of a folder make]:path:_files' '--to-url[to a live database]:url:' '--to-sql[to what a file, or a folder of files, of SQL makes]:path:_files' '--to-config-datasource[to the database that the configuration names]' '--to-schema-datasource[to the database that this schema'\''s project uses]:path:_files' '--script[print the SQL instead of a summary]' '--exit-code[exit with 0 when both are equal, 2 when they differ, 1 for every error]' '--output[write the result into this file]:path:_files' '-o[write the result into this file]:path:_files' '--rename[rename instead of dropping and adding\: User\:Account, User.mail\:email, Role.ADMIN\:OWNER]:old:new:' '--prisma-compat[print what Prisma'\''s engine would, its mistakes included]' '--prisma[generation of Prisma whose rules hold\: 6 or 7]:value:(6 7)' '--shadow-url[replay on this empty database instead of a private PostgreSQL]:url:') ;;
    'db pull'*) special=('--print[print the schema on standard output and write no file]' '--force[begin anew\: of the schema that is there only the datasource and the generators stay; nobody is asked]' '--schemas[schemas of the database to read; they are written into the datasource]:a,b:') ;;
    'db execute'*) special=('--file[the script]:path:_files' '--stdin[read the script from standard input]' '--dry-run[show the steps, their locks and what would be lost; nothing is changed]' '--tx[one transaction where the statements allow it (file, the usual), one in any case (all), or one for each statement, with a journal (none)]:value:(file all none)' '--from-start[begin with the first statement, also where an interrupted run of this script has stopped further on]' '--accept-data-loss[agree to losing the rows of tables, and the values of columns, that the script drops; --yes alone does not]' '--wait[how long to wait for another run to finish]:duration:' '--timeout[limit for the whole run; 0 = none]:duration:' '--lock-timeout[longest time that others may queue behind a waiting DDL statement]:duration:' '--lock-budget[how long to try for a table lock before giving up]:duration:' '--backup[make a backup before anything is changed; production does so by itself]' '--no-backup[make a backup before anything is changed; production does so by itself]' '--reason[with --no-backup\: why there is none; it is recorded]:text:') ;;
    esac
    _arguments -S "${general[@]}" "${special[@]}" "*: :"
}
_aramid "$@"
