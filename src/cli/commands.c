/* What can be typed: every command and option. The parser, `aramid help`, the reference documents,
 * the manual page and the completion scripts are made from these tables; after a change run
 * tools/gen_docs.py. */
/* clang-format off */
#include "cli/commands.h"

/* ---- options of every command --------------------------------------------------------------- */

static const char *const color_choices[] = {"auto", "always", "never", NULL};

static const OptSpec globals[] = {
    {.name = "directory", .letter = 'C', .type = OPT_PATH, .value = "DIR",
     .listed_for = CMD_USES_PROJECT,
     .help = "work as if started in this folder; other paths are relative to it"},
    {.name = "env", .type = OPT_TEXT, .value = "NAME", .env = "ARAMID_ENV, VERCEL_ENV, NODE_ENV",
     .listed_for = CMD_USES_PROJECT,
     .help = "environment: development, staging, production, or a name that aramid.yaml defines"},
    {.name = "config", .type = OPT_PATH, .value = "PATH",
     .listed_for = CMD_USES_PROJECT,
     .help = "configuration file: aramid.yaml or prisma.config.*"},
    {.name = "schema", .type = OPT_PATH, .value = "PATH", .config = CLI_SETS(SCHEMA),
     .listed_for = CMD_USES_PROJECT,
     .help = "schema.prisma, or a folder of .prisma files"},
    {.name = "migrations", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(MIGRATIONS),
     .listed_for = CMD_USES_DATABASE,
     .help = "folder of the migrations"},
    {.name = "url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(URL),
     .listed_for = CMD_USES_DATABASE,
     .help = "connection URL of the database; without any URL, in development, the project's "
             "embedded PostgreSQL is used"},
    {.name = "yes", .letter = 'y', .type = OPT_FLAG,
     .listed_for = CMD_USES_CONFIRM,
     .help = "do not ask: confirm what the command is about to do"},
    {.name = "json", .type = OPT_FLAG,
     .listed_for = CMD_USES_JSON,
     .help = "print the result as JSON on standard output"},
    {.name = "color", .type = OPT_CHOICE, .value = "WHEN", .choices = color_choices,
     .env = "NO_COLOR, FORCE_COLOR", .help = "colours: auto, always or never"},
    {.name = "quiet", .letter = 'q', .type = OPT_FLAG,
     .help = "print results and errors only"},
    {.name = "verbose", .letter = 'v', .type = OPT_FLAG, .help = "tell more"},
    {.name = "help", .letter = 'h', .type = OPT_FLAG, .help = "show help and exit"},
    {.name = "version", .letter = 'V', .type = OPT_FLAG, .help = "show the version and exit"},
    {0},
};

static const CmdConflict global_conflicts[] = {{"quiet", "verbose"}, {0}};

/* ---- migrations ----------------------------------------------------------------------------- */

static const char *const shadow_names[] = {"shadow-database-url", NULL};

enum { USES_MIGRATIONS = CMD_USES_PROJECT | CMD_USES_DATABASE };

/* Beside the statuses of errors. */
static const CmdExit plan_exits[] = {
    {19, "the settings (`findings`) make an error of what was found: a deploy is refused"},
    {0},
};

static const CmdExit write_exits[] = {
    {19, "the settings (`findings`) make an error of what was found: nothing is written"},
    {0},
};

static const CmdExit status_exits[] = {
    {10, "migrations are pending"},
    {11, "a migration failed, under Aramid or under Prisma's engine"},
    {12, "a run was interrupted; `aramid deploy` will finish it"},
    {13, "a migration was edited after it was applied"},
    {14, "an applied migration is missing in the folder"},
    {15, "a pending migration is older than an applied one"},
    {16, "the database has tables but no migration history"},
    {18, "with --drift: all is applied, but the database was changed beside its migrations"},
    {19, "up to date, but the settings (`findings`) make an error of what was found"},
    {0},
};

static const OptSpec status_options[] = {
    {.name = "drift", .type = OPT_FLAG, .help = "look for drift too, as `aramid drift` does"},
    {.name = "html", .type = OPT_FLAG, .help = "print a page for a browser"},
    {0},
};

static const CmdConflict status_conflicts[] = {{"html", "json"}, {"html", "drift"}, {0}};

static const CmdExample status_examples[] = {
    {"aramid status", "of the project's database"},
    {"aramid status --env production --json", "for a monitor"},
    {"aramid status --verbose", "with every migration of the history"},
    {"aramid status --html > status.html", "as a page"},
    {0},
};

static const CmdSpec status = {
    .name = "status", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "show what is applied, pending or wrong",
    .description =
        "Compares the migrations folder with the history in the database: applied, pending, "
        "failed, interrupted, edited, missing and out-of-order migrations, who is running one "
        "now, and when the last one was applied. With --verbose it lists the whole history.\n\n"
        "Everything happens in one READ ONLY transaction; a role that may only read is enough, "
        "and nothing is created: of an embedded PostgreSQL that was not made yet it says so, a "
        "stopped one is started to be looked at. Each state has an exit status of its own.",
    .options = status_options, .conflicts = status_conflicts, .examples = status_examples, .exits = status_exits,
    .run = cmd_status,
};

static const ArgSpec report_args[] = {
    {.name = "RUN", .help = "its id, the beginning of it, or its folder; without one: the newest"},
    {0},
};

static const OptSpec report_options[] = {
    {.name = "output", .letter = 'o', .type = OPT_PATH, .value = "FILE",
     .help = "write the page here; default: report.html in the run's folder"},
    {.name = "no-schema-changes", .type = OPT_FLAG,
     .help = "do not draw what the migrations changed, which replays them on a private server"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdExample report_examples[] = {
    {"aramid report", "of the newest run, as .aramid/runs/.../report.html"},
    {"aramid report 20261201T1253 -o report.html", "of the run that began then"},
    {"aramid report --no-schema-changes", "without a server"},
    {0},
};

static const CmdSpec report = {
    .name = "report", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES, .uses = CMD_USES_PROJECT,
    .summary = "make a page about a run: timeline, locks, SQL, what changed",
    .description =
        "Writes one HTML file from what a run left in its folder: when each migration and statement ran and how long it "
        "took, which locks it held and whom it waited for, findings, the SQL, a diagram of what changed, and after a "
        "failure what to do next. It needs no network and no script; it follows the reader's light or dark, and prints.\n\n"
        "A deploy leaves the same page by itself (setting runs.report); there the diagram is in it where the deploy "
        "looked at the schema before and after. No database is asked.",
    .args = report_args, .options = report_options, .examples = report_examples, .run = cmd_report,
};

static const char *const drift_scripts[] = {"repair", "adopt", NULL};

static const OptSpec drift_options[] = {
    {.name = "exit-code", .type = OPT_FLAG, .help = "exit with status 2 when there is drift"},
    {.name = "notify", .type = OPT_FLAG, .help = "tell of drift whom notify.* names"},
    {.name = "script", .type = OPT_CHOICE, .value = "WHICH", .choices = drift_scripts,
     .help = "print SQL only: repair undoes the drift in the database, adopt makes it elsewhere"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdConflict drift_conflicts[] = {{"script", "json"}, {0}};

static const CmdExit drift_exits[] = {
    {1, "with --exit-code: an error"},
    {2, "with --exit-code: there is drift"},
    {19, "the settings (`findings`) make an error of what was found"},
    {0},
};

static const CmdExample drift_examples[] = {
    {"aramid drift", "of the project's database"},
    {"aramid drift --env production --exit-code", "for a nightly job"},
    {"aramid drift --script adopt", "the SQL of a migration that keeps what was done"},
    {0},
};

static const CmdSpec drift = {
    .name = "drift", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "find what was changed in the database by hand",
    .description =
        "Replays the applied migrations on a private PostgreSQL server, compares the result with "
        "the live database, and says what differs, with the SQL that brings either side to the "
        "other. The database is only read. What was replayed once is kept in a cache.\n\n"
        "Compared are all kinds of objects that pg_dump knows. Left alone are column "
        "order, versions of extensions, owners and privileges that no migration sets, the objects "
        "of extensions, platforms (Supabase, Neon, ...) and migration tools, and what the setting "
        "`ignore` names. What administrators make outside of schemas (publications, event "
        "triggers, foreign servers, ...) is listed as not compared.",
    .options = drift_options, .conflicts = drift_conflicts, .examples = drift_examples,
    .exits = drift_exits, .run = cmd_drift,
};

static const OptSpec check_options[] = {
    {.name = "notify", .type = OPT_FLAG, .help = "tell of drift whom notify.* names"},
    {.name = "migrations", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(MIGRATIONS),
     .may_be_bare = true,
     .help = "folder of the migrations; without DIR: check only these, and that the database has all "
             "of them and nothing beside them"},
    {.name = "against", .type = OPT_TEXT, .value = "REF|DIR",
     .help = "another branch, or a folder of migrations: do its migrations and these go together?"},
    {.name = "deployed", .type = OPT_TEXT, .value = "FILE|REF",
     .help = "the schema of the code that runs now, a file or what git knows: can it go on with what these make?"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdExit check_exits[] = {
    {6, "schema.prisma has errors"},
    {10, "migrations are pending; 11 to 16 as for `aramid status`"},
    {17, "schema.prisma is not what the migrations make"},
    {18, "the database was changed beside its migrations"},
    {19, "all of it is well, but what was found is an error, or the settings (`findings`) make it one"},
    {29, "a migration does not run on an empty database"},
    {61, "with --against: migrations of the two branches are in each other's way"},
    {0},
};

static const CmdExample check_examples[] = {
    {"aramid check", "of the files, in every pull request: needs no database"},
    {"aramid check --env production --json", "and of a database, for a nightly job"},
    {"aramid check --against origin/main", "before a merge: do both branches' migrations go together?"},
    {"aramid check --deployed v1.4.0", "can the code of that release go on with these migrations?"},
    {"aramid check --migrations --env staging", "only the migrations, against a database"},
    {0},
};

static const CmdSpec check = {
    .name = "check", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "check that schema, migrations and database agree",
    .description =
        "Checks that schema.prisma is valid, that the migrations run on an empty database, and "
        "that they make what the schema says. With --url or --env also that the database has "
        "all migrations, as they are in the folder, and nothing beside them (drift).\n\n"
        "--against REF (a branch, tag or commit of git) or DIR: the migrations that only one of the two "
        "has are replayed in both orders, and by name; the catalogs must be the same. A conflict is named "
        "with its file and object.\n\n"
        "--deployed FILE or REF: the schema.prisma of the code that runs now is compared with what the migrations make: "
        "tables and columns that are gone or have another type, values that must be there, defaults and values of enums "
        "that went, new keys that refuse what it writes.\n\n"
        "All parts are checked, also when one fails; the exit status is that of the first that "
        "failed. Changes nothing; migrations are replayed on a private PostgreSQL server.",
    .options = check_options, .examples = check_examples, .exits = check_exits, .run = cmd_check,
};

static const CmdExample plan_examples[] = {
    {"aramid plan", "what `aramid deploy` would do now"},
    {"aramid plan --env production --json", "for a review tool"},
    {0},
};

static const OptSpec plan_options[] = {
    {.name = "notify", .type = OPT_FLAG, .help = "tell of what is pending whom notify.* names (event planned)"},
    {0},
};

static const CmdSpec plan = {
    .name = "plan", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "show what deploy would do",
    .description =
        "Lists the pending migrations and the steps that each will run as: the SQL, what runs "
        "inside a transaction and what outside, and the table locks that are known from the "
        "statements. Changes nothing: an embedded PostgreSQL that was not made yet is taken as "
        "empty, a stopped one is started to be looked at. The same as `aramid deploy --dry-run`.",
    .options = plan_options, .examples = plan_examples, .exits = plan_exits, .run = cmd_plan,
};

static const ArgSpec create_args[] = {
    {.name = "NAME", .help = "what it changes, in a few words: add_user_bio; asked for on a terminal"},
    {0},
};

#define CREATE_OPTIONS                                                                              \
    {.name = "rename", .type = OPT_TEXT, .value = "OLD:NEW", .repeatable = true,                    \
     .help = "a renamed table, column, enum or value, whose data stays: User.mail:email"},          \
    {.name = "no-rename", .type = OPT_FLAG,                                                         \
     .help = "nothing was renamed: what looks so is dropped, with what it holds"}

static const OptSpec create_options[] = {
    {.name = "name", .type = OPT_TEXT, .value = "NAME", .help = "the name, as Prisma's option has it"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "print the migration and write nothing"},
    {.name = "empty", .type = OPT_FLAG, .help = "a file to fill in"},
    {.name = "data", .type = OPT_FLAG, .help = "a file to fill in that changes rows"},
    {.name = "from-drift", .type = OPT_FLAG,
     .help = "what was done to the database by hand: the migration, schema.prisma, and the history of the "
             "database, which then has it already"},
    CREATE_OPTIONS,
    {.name = "rls", .type = OPT_FLAG, .help = "switch row-level security on for new tables"},
    {.name = "down", .type = OPT_FLAG, .negatable = true,
     .help = "--no-down: do not write the way back, down.sql (setting create.down); --down: an error where the layout has no place for it"},
    {.name = "to", .type = OPT_PATH, .value = "FOLDER",
     .help = "of several folders of migrations the one that it is for; schema.prisma's is Prisma's"},
    {.name = "to-sql", .type = OPT_PATH, .value = "PATH",
     .help = "make it of a file, or folder of files, of SQL that make the schema"},
    {.name = "prisma-compat", .type = OPT_FLAG,
     .help = "exactly what Prisma's engine writes, its mistakes included"},
    {.name = "author", .type = OPT_FLAG, .negatable = true,
     .help = "write git's user into the head of the file (setting create.author)"},
    {.name = "ticket", .type = OPT_TEXT, .value = "TEXT", .help = "write this into the head of the file"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdConflict create_conflicts[] = {
    {"empty", "data"},     {"empty", "from-drift"}, {"data", "from-drift"}, {"empty", "rls"},
    {"data", "rls"},       {"from-drift", "rls"},   {"empty", "to-sql"},    {"data", "to-sql"},
    {"from-drift", "to-sql"}, {"no-rename", "rename"}, {0},
};

static const CmdExit create_exits[] = {
    {4, "something looks renamed, and nobody said whether it is"},
    {19, "the settings (`findings`) make an error of what was found: nothing is written"},
    {60, "there is nothing to create: the migrations make what the schema says"},
    {0},
};

static const CmdExample create_examples[] = {
    {"aramid create add_user_bio", "what the schema has and the migrations lack"},
    {"aramid create add_user_bio --dry-run", "print it only"},
    {"aramid create rename_mail --rename User.mail:email", "a column that keeps its values"},
    {"aramid create backfill_bio --data", "a file for UPDATEs"},
    {0},
};

static const CmdSpec create = {
    .name = "create", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "write the next migration from the schema",
    .description =
        "Compares what the migrations make with schema.prisma (or with SQL files) and writes what is missing as the "
        "next migration, in the folder and the form of the project's tool. What it loses, what may fail on rows and "
        "what it locks is said before it is written, and stands in the file's first line. The database is not "
        "touched: migrations are replayed on a private server, and kept in a cache.\n\n"
        "Something that goes while its like comes may be a rename. On a terminal that is asked; elsewhere it is an "
        "error that names the words to type. A file is written as a whole, and never over another one.",
    .args = create_args, .options = create_options, .conflicts = create_conflicts,
    .examples = create_examples, .exits = create_exits, .run = cmd_create,
};

static const char *const drift_choices[] = {"keep", "undo", "leave", NULL};

#define DEV_OPTIONS                                                                                 \
    {.name = "create-only", .type = OPT_FLAG, .help = "write the migration and apply nothing: `aramid create`"}, \
    {.name = "skip-generate", .type = OPT_FLAG, .help = "do not run the project's generator"},      \
    {.name = "skip-seed", .type = OPT_FLAG, .help = "do not seed a database that was empty"},       \
    CREATE_OPTIONS,                                                                                 \
    {.name = "drift", .type = OPT_CHOICE, .value = "WHAT", .choices = drift_choices,                \
     .help = "what was changed in the database beside the migrations: keep it as a migration, undo it in the "  \
             "database, or leave it; asked for on a terminal, elsewhere it is left"},               \
    {.name = "accept-data-loss", .type = OPT_FLAG,                                                  \
     .help = "rows and values may go that the migration, or the undoing of drift, drops"}

static const OptSpec dev_options[] = {
    {.name = "name", .letter = 'n', .type = OPT_TEXT, .value = "NAME", .help = "the name, as Prisma's option has it"},
    {.name = "watch", .letter = 'w', .type = OPT_FLAG,
     .help = "each time that the schema is written, show what a migration would be; a name that is typed writes and applies it"},
    DEV_OPTIONS,
    {0},
};

static const CmdConflict dev_conflicts[] = {
    {"no-rename", "rename"}, {"watch", "create-only"}, {"watch", "json"}, {"watch", "name"}, {0}};

static const CmdExit dev_exits[] = {
    {4, "something looks renamed, data would be lost, or the rows do not fit, and nobody said what is meant"},
    {8, "the database is one of production or staging"},
    {0},
};

static const CmdExample dev_examples[] = {
    {"aramid dev add_user_bio", "migrate what the schema has and the database lacks"},
    {"aramid dev", "bring the database up to date; the name is asked for when there is something to migrate"},
    {"aramid dev --drift undo", "take back what was changed by hand"},
    {"aramid dev --watch", "beside the editor: the SQL of each change as soon as it is saved"},
    {0},
};

static const CmdSpec dev = {
    .name = "dev", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "bring the development database to the schema",
    .description =
        "Applies what is pending, writes the migration that the schema still needs, applies it, and runs the project's "
        "generator. A database that is not there is made.\n\n"
        "A migration that was edited or taken away after it was applied is no reason to begin anew: the database is "
        "changed to what the files make now, and rows stay where their tables do. What that loses, or what the new "
        "migration loses, is counted first and wants a word. Nothing of it happens to a database that is marked as "
        "production or staging.",
    .args = create_args, .options = dev_options, .conflicts = dev_conflicts,
    .examples = dev_examples, .exits = dev_exits, .run = cmd_dev,
};

static const ArgSpec show_args[] = {
    {.name = "MIGRATION", .required = true, .help = "its name; the part behind the timestamp is enough where one has it"},
    {0},
};

static const OptSpec show_options[] = {
    {.name = "down", .type = OPT_FLAG, .negatable = true,
     .help = "--no-down: do not derive a way back where the project has none; no server is started then"},
    {0},
};

static const CmdExample show_examples[] = {
    {"aramid show add_user_bio", "its SQL, its way back, its locks"},
    {"aramid show 20261130211857_add_user_bio --json", "for a program"},
    {0},
};

static const CmdSpec show = {
    .name = "show", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "show one migration: its SQL, its way back, what it locks",
    .description =
        "Prints a migration and the script that leads back, side by side on a wide terminal: the project's own, or the "
        "one that `aramid rollback` derives, which takes a replay on a private server. Then for each statement what it "
        "locks, and whether rows are read or written under that lock; what it loses or breaks; and, where there is a "
        "database, whether it is applied there. Changes nothing.",
    .args = show_args, .options = show_options, .examples = show_examples, .run = cmd_show,
};

static const ArgSpec describe_args[] = {
    {.name = "TABLE", .required = true,
     .help = "a table, view or materialized view: NAME or SCHEMA.NAME, in quotes where a name has dots; or a model of "
             "schema.prisma"},
    {0},
};

static const CmdExample describe_examples[] = {
    {"aramid describe users", "its columns, keys, indexes, policies, size"},
    {"aramid describe app.invoices --json", "for a program"},
    {0},
};

static const CmdSpec describe = {
    .name = "describe", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "show one table: columns, keys, policies, size, migrations",
    .description =
        "Prints what a table or view has in the database: columns with types and defaults; keys, indexes, checks; foreign "
        "keys from it and to it; triggers, rules, policies and privileges; the views and functions that use it; the "
        "server's estimate of its rows, and its size. Then which migrations speak of it, under the name that it had then, "
        "and whether they are applied. Changes nothing, and needs no more than a role that may connect.",
    .args = describe_args, .examples = describe_examples, .run = cmd_describe,
};

static const ArgSpec expand_args[] = {
    {.name = "KIND", .required = true,
     .help = "rename-column, rename-table, change-type, not-null, drop-column or split; contract: the second step"},
    {.name = "WHAT", .required = true, .help = "TABLE.COLUMN or TABLE, as the database calls them; behind contract the change's name"},
    {.name = "NEW", .help = "the new name; of change-type the new type"},
    {0},
};

static const OptSpec expand_options[] = {
    {.name = "as", .type = OPT_TEXT, .value = "NAME",
     .help = "change-type: what the new column is called; default: made of the old name and the type"},
    {.name = "using", .type = OPT_TEXT, .value = "EXPRESSION",
     .help = "change-type: the new value, of the old columns; default: a cast"},
    {.name = "back", .type = OPT_TEXT, .value = "EXPRESSION",
     .help = "change-type, split: the old value, of the new columns, for code that knows the old one; default: a cast"},
    {.name = "value", .type = OPT_TEXT, .value = "EXPRESSION",
     .help = "not-null: what NULL becomes; default: the column's default"},
    {.name = "into", .type = OPT_TEXT, .value = "'NAME TYPE = EXPRESSION'", .repeatable = true,
     .help = "split: a new column, its type and its value"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "print the migrations and write nothing"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdExample expand_examples[] = {
    {"aramid expand-contract rename-column users.name full_name", "both columns, alike, and filled"},
    {"aramid expand-contract contract users_full_name", "later: the old one goes"},
    {"aramid expand-contract change-type orders.total numeric --as total_exact", "a column of the new type"},
    {"aramid expand-contract not-null users.score --value 0", "NULL becomes 0"},
    {"aramid expand-contract split t.name --into 'a text = left(name, 1)' --back a", "several columns for one"},
    {0},
};

static const CmdSpec expand_contract_spec = {
    .name = "expand-contract", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "write a change that old and new code can live with",
    .description =
        "The first step is a migration that adds what new code needs beside what old code uses, keeps both alike by a "
        "trigger whichever is written, fills rows in batches and proves that nothing differs. The second step, written "
        "when you say `contract NAME`, takes the old away. `aramid state` and `status` show how far each is.\n\n"
        "Both are plain SQL in the project's folder, to be read and changed. They are tried on a private server behind "
        "the migrations; what uses the column and would stand in the way is named, and then nothing is written. The "
        "database is not touched.",
    .args = expand_args, .options = expand_options, .examples = expand_examples, .run = cmd_expand_contract,
};

static const CmdExample state_examples[] = {
    {"aramid state --json", "for feature flags of an application"},
    {0},
};

static const CmdSpec state = {
    .name = "state", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "show how far changes in two steps have come",
    .description =
        "Changes that `aramid expand-contract` has written: whether new code may read what is new, and whether the old "
        "is still there.",
    .examples = state_examples, .run = cmd_state,
};

static const OptSpec restack_options[] = {
    {.name = "base", .type = OPT_TEXT, .value = "REF",
     .help = "branch or commit of git that has what arrived earlier; default: the main branch, of origin first"},
    {.name = "check", .type = OPT_FLAG, .help = "only look, for merge queues: exit status 15 where some come too early"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "show the new names and rename nothing"},
    {0},
};

static const CmdConflict restack_conflicts[] = {{"check", "dry-run"}, {0}};

static const CmdExit restack_exits[] = {
    {15, "with --check: migrations of this branch come before others that arrived earlier"},
    {0},
};

static const CmdExample restack_examples[] = {
    {"aramid restack", "after a merge or a rebase"},
    {"aramid restack --check --base origin/main", "in a merge queue"},
    {0},
};

static const CmdSpec restack = {
    .name = "restack", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "move this branch's migrations behind those that arrived earlier",
    .description =
        "Migrations run in the order of their names. Where another branch's were merged first, this branch's come "
        "before them, on databases that have the others already. All migrations that neither the base branch nor the "
        "database has then get names with a later time, in their order; what they say stays.\n\n"
        "A migration that the configured database has is never renamed. The database is only read, and is not needed.",
    .options = restack_options, .conflicts = restack_conflicts, .examples = restack_examples,
    .exits = restack_exits, .run = cmd_restack,
};

static const ArgSpec lint_args[] = {
    {.name = "NAME", .repeatable = true, .help = "of migrations; default: all of the folder"},
    {0},
};

static const OptSpec lint_options[] = {
    {.name = "stats", .type = OPT_PATH, .value = "FILE",
     .help = "a file of `aramid stats save`: how large tables are (setting lint.stats)"},
    {.name = "all", .type = OPT_FLAG, .help = "notices, too: what a deploy makes harmless, and what is only good to know"},
    {.name = "baseline", .type = OPT_PATH, .value = "FILE",
     .help = "what is known and not to be told again (setting lint.baseline)"},
    {.name = "no-baseline", .type = OPT_FLAG, .help = "tell all, whatever the baseline says"},
    {.name = "write-baseline", .type = OPT_FLAG,
     .help = "write what is found into the baseline: for migrations that are long applied"},
    {.name = "sarif", .type = OPT_FLAG, .help = "SARIF 2.1.0 on standard output, for code scanning"},
    {.name = "gitlab", .type = OPT_FLAG, .help = "the same as GitLab's code quality report"},
    {.name = "markdown", .type = OPT_FLAG, .help = "the same as a comment on a pull request"},
    {0},
};

static const CmdConflict lint_conflicts[] = {{"sarif", "json"}, {"sarif", "all"}, {"gitlab", "json"}, {"gitlab", "all"},
                                             {"gitlab", "sarif"}, {"markdown", "json"}, {"markdown", "all"},
                                             {"markdown", "sarif"}, {"markdown", "gitlab"}, {"baseline", "no-baseline"},
                                             {"no-baseline", "write-baseline"}, {0}};

static const CmdExample lint_examples[] = {
    {"aramid lint", "all migrations of the project"},
    {"aramid lint --env production", "those that it does not have, with the sizes of its tables"},
    {"aramid lint 20261130174500_add_users --all", "one of them, with all that can be said"},
    {0},
};

static const CmdSpec lint = {
    .name = "lint", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "judge migrations before they run: locks, losses, what breaks",
    .description =
        "Follows the schema through all migrations and says of each statement what it does to tables that were there "
        "before its file: which work is done under which lock, what is thrown away, what running code will miss, where "
        "rows that are there make it fail; with the statement to write instead. Needs no database.\n\n"
        "With --url or --env the database is asked, READ ONLY, which migrations it has and how large its tables are: "
        "those that it lacks are judged, and what takes milliseconds on a small table is a notice. A file of "
        "`aramid stats save` tells the same where there is no database to ask.\n\n"
        "`-- aramid:ignore RULE REASON` in front of a statement, or at the head of a file, silences a rule; "
        "`findings:` in aramid.yaml makes errors of rules, which end with exit status 19. "
        "Under GitHub Actions the findings are also shown as annotations.",
    .args = lint_args, .options = lint_options, .conflicts = lint_conflicts, .examples = lint_examples,
    .run = cmd_lint,
};

static const ArgSpec stats_args[] = {
    {.name = "FILE", .help = "where to; default: the setting lint.stats (aramid.stats.json)"},
    {0},
};

static const CmdExample stats_examples[] = {
    {"aramid stats save --env production", "for `aramid lint` in a pipeline that may not reach it"},
    {0},
};

static const CmdSpec stats_save = {
    .name = "stats save", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "save how large the tables are, without rows and values",
    .description =
        "Asks the database, READ ONLY and without waiting for locks, for the sizes of its tables, for what ANALYZE has "
        "found of NULLs and distinct values in their columns, and for the names of its migrations, and writes that into "
        "a file. No row is read and no value is in the file: it may be committed.",
    .args = stats_args, .examples = stats_examples, .run = cmd_stats_save,
};

static const ArgSpec review_args[] = {
    {.name = "NAME", .repeatable = true, .help = "of migrations that were read; default: only show who has read which"},
    {0},
};

static const OptSpec review_options[] = {
    {.name = "by", .type = OPT_TEXT, .value = "NAME", .help = "who has read it; default: git's user"},
    {0},
};

static const CmdExample review_examples[] = {
    {"aramid review 20261130174500_emails", "I have read it"},
    {"aramid review", "who has read which"},
    {0},
};

static const CmdSpec review = {
    .name = "review", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "record who has read a migration",
    .description =
        "Writes who has read a migration, when, and the checksum of its file into aramid.reviews.json, which is committed "
        "with it. Where the setting `review` says `required`, `aramid plan` names pending migrations without such a "
        "record, or that were edited since, and a deploy stops before anything is changed.",
    .args = review_args, .options = review_options, .examples = review_examples, .run = cmd_review,
};

static const OptSpec ci_options[] = {
    {.name = "base", .type = OPT_TEXT, .value = "REF", .help = "the branch that it goes into; default: as the pipeline says"},
    {.name = "deployed", .type = OPT_TEXT, .value = "FILE|REF",
     .help = "the schema of the code that runs now; default: that of the base"},
    {.name = "no-rollback", .type = OPT_FLAG, .help = "do not try whether the new migrations lead back"},
    {.name = "comment", .type = OPT_PATH, .value = "FILE", .help = "write a comment for the pull request, in Markdown"},
    {.name = "sarif", .type = OPT_PATH, .value = "FILE", .help = "write what lint found as SARIF 2.1.0"},
    {.name = "gitlab", .type = OPT_PATH, .value = "FILE", .help = "write it as GitLab's code quality report"},
    {0},
};

static const CmdExample ci_examples[] = {
    {"aramid ci --comment comment.md --sarif lint.sarif", "in a pipeline for pull requests"},
    {"aramid ci --base origin/main", "the same on this machine"},
    {0},
};

static const CmdSpec ci = {
    .name = "ci", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "check all of a pull request: one command, one verdict",
    .description =
        "What `aramid check` looks at, and of the migrations that only this branch has: what they lock, lose and break "
        "(`aramid lint`, with aramid.stats.json where it is), whether they go together with those of the base branch, "
        "whether the code that runs now can go on with them, and whether they lead back.\n\n"
        "The exit status is that of the first part that failed, as of `aramid check`; 27: a migration does not lead back. "
        "Under GitHub Actions findings are shown at their lines, the comment becomes the step's summary, and secrets of "
        "the configuration are masked for later steps.",
    .options = ci_options, .examples = ci_examples, .exits = check_exits, .run = cmd_ci,
};

static const OptSpec squash_options[] = {
    {.name = "to", .type = OPT_TEXT, .value = "NAME", .help = "the last migration that goes into it; default: the newest"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "prove it, print the new migration and write nothing"},
    {0},
};

static const CmdExample squash_examples[] = {
    {"aramid squash --dry-run", "what it would be"},
    {"aramid squash --to 20240131120000_orders", "the older part of a long history"},
    {0},
};

static const CmdSpec squash = {
    .name = "squash", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "make one migration of many, proven to make the same",
    .description =
        "The migrations are replayed on a private server. What they make is written as one script, with the statements "
        "about rows whose rows a new database needs; that is replayed, too, and only when schema, rows and sequences are "
        "the same, the new migration is written and the old ones are moved out of the folder.\n\n"
        "Its first lines name those that it replaces. A database that has all of them records the new one by the next "
        "deploy and runs nothing; one that lacks some is refused. No database is touched by this command.",
    .options = squash_options, .examples = squash_examples, .run = cmd_squash,
};

static const char *const tx_choices[] = {"file", "all", "none", NULL};

static const OptSpec deploy_options[] = {
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "show the plan and change nothing; the same as `aramid plan`"},
    {.name = "wait", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(WAIT_RUNNER),
     .help = "how long to wait for another run to finish"},
    {.name = "timeout", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(RUN_TIMEOUT), .help = "limit for the whole run; 0 = none"},
    {.name = "lock-timeout", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(LOCK_TIMEOUT),
     .help = "longest time that others may queue behind a waiting DDL statement"},
    {.name = "lock-budget", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(LOCK_BUDGET),
     .help = "how long to try for a table lock before giving up"},
    {.name = "stall", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(STALL),
     .help = "longest time that others may wait for what a statement has locked; 0 = it is only told"},
    {.name = "retries", .type = OPT_INT, .value = "N", .max = 1000,
     .config = CLI_SETS(MAX_RETRIES),
     .help = "tries after the first, at a lost connection, a deadlock or a serialization failure"},
    {.name = "tx", .type = OPT_CHOICE, .value = "MODE", .choices = tx_choices, .config = CLI_SETS(TX),
     .help = "one transaction for each migration (file, the usual), for all of them (all), or for each "
             "statement, with a journal (none)"},
    {.name = "create-database", .type = OPT_FLAG, .negatable = true,
     .config = CLI_SETS(CREATE_DB), .help = "create the database when it does not exist"},
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),
     .help = "make a backup before anything is changed; production does so by itself"},
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",
     .help = "with --no-backup: why there is none; it is recorded"},
    {.name = "break-glass", .type = OPT_TEXT, .value = "REASON",
     .help = "go on although gate.requires or windows.* ask for what is not there; recorded and told"},
    {.name = "accept-data-loss", .type = OPT_FLAG, .env = "ARAMID_ACCEPT_DATA_LOSS",
     .help = "agree to migrations that drop or empty tables, columns or schemas of production; --yes "
             "alone does not; the variable names them"},
    {0},
};

static const CmdExample deploy_examples[] = {
    {"aramid deploy", "apply what is pending"},
    {"aramid deploy --env production --yes", "in a pipeline: nobody is asked"},
    {"aramid deploy --dry-run", "show the steps, the SQL and the locks only"},
    {"aramid deploy --lock-timeout 50ms --lock-budget 10min", "on a very busy database"},
    {0},
};

static const CmdSpec deploy = {
    .name = "deploy", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "apply the pending migrations",
    .description =
        "Brings the database up to date with the migrations folder. A migration and its entry in "
        "the history commit together; statements that cannot run in a transaction are journaled, "
        "so that the next `aramid deploy` finishes whatever was interrupted. Table locks are "
        "waited for politely: in short attempts, so that the site's own queries never queue for "
        "long.\n\n"
        "Other runs on the same database are waited for. In a production environment the command "
        "asks before it begins (--yes answers), and makes a backup first: without one nothing is "
        "changed. --no-backup with a --reason goes on without one.",
    .options = deploy_options, .examples = deploy_examples, .exits = plan_exits,
    .run = cmd_deploy,
};

static const OptSpec rollback_options[] = {
    {.name = "to", .type = OPT_TEXT, .value = "NAME",
     .help = "back to this migration: it stays, all newer ones are rolled back"},
    {.name = "steps", .type = OPT_INT, .value = "N", .min = 1, .max = 100000,
     .help = "roll back the newest N migrations; default: 1"},
    {.name = "failed", .type = OPT_FLAG,
     .help = "undo what the migration left that failed or was interrupted"},
    {.name = "plan", .type = OPT_FLAG,
     .help = "print the SQL, newest first, and what would be lost; nothing is changed"},
    {.name = "accept-data-loss", .type = OPT_FLAG,
     .help = "agree to losing the rows of tables, and the values of columns, that the migrations made; "
             "--yes alone does not"},
    {.name = "accept-unrestored", .type = OPT_FLAG,
     .help = "agree that rows stay as INSERT, UPDATE and DELETE of the migrations left them"},
    {.name = "wait", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(WAIT_RUNNER),
     .help = "how long to wait for another run to finish"},
    {.name = "timeout", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(RUN_TIMEOUT), .help = "limit for the whole run; 0 = none"},
    {.name = "lock-timeout", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(LOCK_TIMEOUT),
     .help = "longest time that others may queue behind a waiting DDL statement"},
    {.name = "lock-budget", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(LOCK_BUDGET),
     .help = "how long to try for a table lock before giving up"},
    {.name = "stall", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(STALL),
     .help = "longest time that others may wait for what a statement has locked; 0 = it is only told"},
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),
     .help = "make a backup before anything is changed; production does so by itself"},
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",
     .help = "with --no-backup: why there is none; it is recorded"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdConflict rollback_conflicts[] = {{"to", "steps"}, {"to", "failed"}, {"steps", "failed"}, {0}};

static const CmdExample rollback_examples[] = {
    {"aramid rollback --plan", "how the newest migration would be undone, and what goes with it"},
    {"aramid rollback", "undo the newest migration"},
    {"aramid rollback --to 20240102030405_add_users", "undo all that came after it"},
    {"aramid rollback --failed", "undo what a failed one left, and forget it"},
    {"aramid rollback --env production --yes --accept-data-loss", "in a pipeline"},
    {0},
};

static const CmdSpec rollback = {
    .name = "rollback", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "undo the newest migrations",
    .description =
        "Undoes migrations, newest first: by the script that the project has (down.sql beside migration.sql, "
        "rollback_NAME.sql, dbmate's block, the other file of a pair), else by one that is derived from what is there "
        "before and behind the migration. All of it is tried on a private server first and must lead back to what was "
        "there. Each migration and its row in the history go in one transaction, with the locks, the journal and the "
        "backup of a deploy; an interrupted rollback is finished by the next `aramid rollback` or `aramid deploy`.\n\n"
        "What was written since into tables and columns that go is counted and named, and goes only with "
        "--accept-data-loss (or an answer in a terminal). Values that a migration dropped or changed do not come back: "
        "for these there are backups. Afterwards the database is compared with what it was.",
    .options = rollback_options, .conflicts = rollback_conflicts, .examples = rollback_examples,
    .exits = write_exits, .run = cmd_rollback,
};

#define LOCK_OPTIONS                                                                                \
    {.name = "wait", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(WAIT_RUNNER),    \
     .help = "how long to wait for another run to finish"},                                         \
    {.name = "timeout", .type = OPT_DURATION, .value = "DURATION",                                  \
     .config = CLI_SETS(RUN_TIMEOUT), .help = "limit for the whole run; 0 = none"},                 \
    {.name = "lock-timeout", .type = OPT_DURATION, .value = "DURATION",                             \
     .config = CLI_SETS(LOCK_TIMEOUT),                                                              \
     .help = "longest time that others may queue behind a waiting DDL statement"},                  \
    {.name = "lock-budget", .type = OPT_DURATION, .value = "DURATION",                              \
     .config = CLI_SETS(LOCK_BUDGET),                                                               \
     .help = "how long to try for a table lock before giving up"},                                 \
    {.name = "stall", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(STALL),         \
     .help = "longest time that others may wait for what a statement has locked; 0 = it is only "   \
             "told"}
#define BACKUP_OPTIONS                                                                              \
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),             \
     .help = "make a backup before anything is changed; production does so by itself"},             \
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",                        \
     .help = "with --no-backup: why there is none; it is recorded"}

static const ArgSpec execute_args[] = {
    {.name = "FILE", .help = "the script; the same as --file"},
    {0},
};

static const OptSpec execute_options[] = {
    {.name = "file", .type = OPT_PATH, .value = "PATH", .help = "the script"},
    {.name = "stdin", .type = OPT_FLAG, .help = "read the script from standard input"},
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "show the steps, their locks and what would be lost; nothing is changed"},
    {.name = "tx", .type = OPT_CHOICE, .value = "MODE", .choices = tx_choices, .config = CLI_SETS(TX),
     .help = "one transaction where the statements allow it (file, the usual), one in any case (all), or one for "
             "each statement, with a journal (none)"},
    {.name = "from-start", .type = OPT_FLAG,
     .help = "begin with the first statement, also where an interrupted run of this script has stopped further on"},
    {.name = "accept-data-loss", .type = OPT_FLAG,
     .help = "agree to losing the rows of tables, and the values of columns, that the script drops; --yes alone "
             "does not"},
    LOCK_OPTIONS,
    BACKUP_OPTIONS,
    {0},
};

static const CmdConflict execute_conflicts[] = {{"file", "stdin"}, {0}};

static const CmdExample execute_examples[] = {
    {"aramid execute fix.sql", "run a script"},
    {"aramid execute --dry-run fix.sql", "what it would do, lock and lose"},
    {"aramid execute --stdin --env production --yes", "in a pipeline: psql -c is not needed"},
    {0},
};

static const CmdSpec execute = {
    .name = "execute", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "run a SQL script",
    .description =
        "Runs a script as a deploy runs a migration: in one transaction where its statements allow it, with table "
        "locks that are waited for politely, and errors that name statement, line and SQLSTATE. The history does not "
        "hold it; Aramid's own tables say that it was run, with which text. It is run each time that it is asked "
        "for.\n\n"
        "Statements that cannot run in a transaction are steps of their own, with a journal: the same command goes on "
        "where an interrupted run has stopped. Rows and values that would be gone are counted first, and go only with "
        "--accept-data-loss (or an answer in a terminal). Production asks, and makes a backup first.",
    .args = execute_args, .options = execute_options, .conflicts = execute_conflicts,
    .examples = execute_examples, .exits = write_exits, .run = cmd_execute,
};

static const ArgSpec seed_args[] = {
    {.name = "ARGUMENT", .repeatable = true, .help = "passed on to the seed command; behind -- when it begins with a dash"},
    {0},
};

static const OptSpec seed_options[] = {
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "show which files and which command would be run; nothing is changed"},
    {.name = "again", .type = OPT_FLAG, .help = "run files again that were run with this text before"},
    {.name = "accept-data-loss", .type = OPT_FLAG,
     .help = "agree to losing the rows of tables, and the values of columns, that the files drop or empty; --yes "
             "alone does not"},
    LOCK_OPTIONS,
    BACKUP_OPTIONS,
    {0},
};

static const CmdExit seed_exits[] = {
    {7, "the seed command failed, or cannot be run"},
    {19, "the settings (`findings`) make an error of what was found: nothing is written"},
    {0},
};

static const CmdExample seed_examples[] = {
    {"aramid seed", "files that are new or changed, then the project's command"},
    {"aramid seed --again", "all files"},
    {"aramid seed -- --count 100", "with arguments for the command"},
    {0},
};

static const CmdSpec seed = {
    .name = "seed", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "fill the database with first rows",
    .description =
        "Runs SQL files (seed_files in aramid.yaml, else seed.sql beside the schema or supabase/seed.sql), each once, and again "
        "when its text was changed: in one transaction with its entry in aramid.scripts, so that one that fails leaves "
        "nothing. Then the project's own command: `seed` in aramid.yaml, migrations.seed in prisma.config.*, "
        "prisma.seed in package.json. It runs in the project's folder, without a shell, with the database's URL in "
        "DATABASE_URL.\n\n"
        "Seeds are for development: production must be named, on a terminal or by ARAMID_CONSENT; --yes alone does not "
        "do.",
    .args = seed_args, .options = seed_options, .examples = seed_examples, .exits = seed_exits, .run = cmd_seed,
};

static const OptSpec reset_options[] = {
    {.name = "force", .letter = 'f', .type = OPT_FLAG,
     .help = "do not ask: agree to losing all data; --yes alone does not"},
    {.name = "skip-seed", .type = OPT_FLAG, .help = "do not seed afterwards"},
    {.name = "skip-generate", .type = OPT_FLAG, .help = "do not run the project's generator afterwards"},
    {.name = "ignore-connections", .type = OPT_FLAG, .help = "also while others are connected"},
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "show what would be dropped, with its rows, and what is left alone; nothing is changed"},
    {.name = "create-database", .type = OPT_FLAG, .negatable = true,
     .config = CLI_SETS(CREATE_DB), .help = "create the database when it does not exist"},
    LOCK_OPTIONS,
    BACKUP_OPTIONS,
    {0},
};

static const CmdExample reset_examples[] = {
    {"aramid reset --dry-run", "what would be lost"},
    {"aramid reset", "asks for the name of the database"},
    {"aramid reset --force --skip-generate", "in a test pipeline"},
    {0},
};

static const CmdSpec reset = {
    .name = "reset", .group = CMD_GROUP_MIGRATIONS, .class = CMD_DESTROYS_DATA,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "drop everything of a development database and build it anew",
    .description =
        "Drops what the project manages, in one transaction: all objects of the URL's schema, of the datasource's schemas "
        "and of those that the migrations name. Then all migrations are applied, the database is seeded and the "
        "project's generator is run. Schemas of platforms, their extensions, other tools' tables and histories, and what "
        "belongs to other roles are left alone, and named.\n\n"
        "The rows that would be lost are counted, and the name of the database is asked for. Production is never reset, "
        "whatever is said; staging must be named (a terminal, or ARAMID_CONSENT=staging); a coding agent needs a person's "
        "words; others who are connected are named first. A reset that was interrupted is finished by the next one.",
    .options = reset_options, .examples = reset_examples, .exits = write_exits, .run = cmd_reset,
};

static const OptSpec push_options[] = {
    {.name = "accept-data-loss", .type = OPT_FLAG,
     .help = "agree to losing what the changes drop; --yes alone does not"},
    {.name = "force-reset", .type = OPT_FLAG,
     .help = "drop everything that the project manages first, as `aramid reset --force` does"},
    {.name = "skip-generate", .type = OPT_FLAG, .help = "do not run the project's generator afterwards"},
    {.name = "rename", .type = OPT_TEXT, .value = "OLD:NEW", .repeatable = true,
     .help = "a renamed table, column, enum or value, whose data stays: User.mail:email"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "show the SQL, its locks and what would be lost; nothing is changed"},
    {.name = "ignore-history", .type = OPT_FLAG, .help = "also on a database that has a history of migrations"},
    {.name = "ignore-connections", .type = OPT_FLAG, .help = "with --force-reset: also while others are connected"},
    {.name = "create-database", .type = OPT_FLAG, .negatable = true,
     .config = CLI_SETS(CREATE_DB), .help = "create the database when it does not exist"},
    LOCK_OPTIONS,
    BACKUP_OPTIONS,
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to print the schema in; default: a private server"},
    {0},
};

static const CmdExample push_examples[] = {
    {"aramid push --dry-run", "the SQL, and what it loses"},
    {"aramid push", "bring the development database to the schema"},
    {"aramid push --rename User.mail:email", "a renamed column keeps its values"},
    {0},
};

static const CmdSpec push = {
    .name = "push", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "bring a development database to schema.prisma, without a migration",
    .description =
        "Compares the database with schema.prisma and runs what is missing, in one transaction where the statements "
        "allow it. No migration is written, so nothing leads other databases there: it is for trying things out. A database "
        "with a history of migrations is refused, production always; staging must be named (a terminal, or "
        "ARAMID_CONSENT=staging).\n\n"
        "What would be lost is counted from the rows that are there, and goes only with --accept-data-loss (or an "
        "answer in a terminal). What the rows do not allow is said before anything is changed. Tables of migration tools and "
        "platforms are left alone.",
    .options = push_options, .examples = push_examples, .exits = write_exits, .run = cmd_push,
};

static const ArgSpec verify_rollback_args[] = {
    {.name = "NAME", .repeatable = true, .help = "of migrations; default: those that are pending in the database"},
    {0},
};

static const OptSpec verify_rollback_options[] = {
    {.name = "all", .type = OPT_FLAG, .help = "try every migration of the folder; needs no database"},
    {.name = "seed", .type = OPT_PATH, .value = "PATH", .repeatable = true,
     .help = "SQL with rows to try it on; default: the files that `aramid seed` runs"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {0},
};

static const CmdExit verify_rollback_exits[] = {
    {27, "a way back does not run, or does not lead back"},
    {0},
};

static const CmdExample verify_rollback_examples[] = {
    {"aramid verify-rollback", "what the next deploy will apply"},
    {"aramid verify-rollback --all --json", "in a pull request"},
    {0},
};

static const CmdSpec verify_rollback = {
    .name = "verify-rollback", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "prove that migrations can be rolled back",
    .description =
        "Runs migrations on a private PostgreSQL server: up, down by the script that `aramid rollback` would use, and up "
        "again, and compares the whole catalog each time. A migration passes that leads back, or that says "
        "`-- aramid:irreversible REASON`. Schemas are compared, not rows.\n\n"
        "The result is kept as evidence in .aramid/evidence/verify-rollback.json. No database is changed.",
    .args = verify_rollback_args, .options = verify_rollback_options, .examples = verify_rollback_examples,
    .exits = verify_rollback_exits, .run = cmd_verify_rollback,
};

static const char *const workflow_steps[] = {"validate", "create", "show", "status", "deploy", "generate", "verify",
                                             NULL};

static const OptSpec workflow_options[] = {
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "run what changes nothing, and show what the others would do"},
    {.name = "skip", .type = OPT_CHOICE, .value = "STEP", .choices = workflow_steps,
     .repeatable = true, .help = "leave this step out"},
    {0},
};

static const ArgSpec workflow_args[] = {
    {.name = "NAME", .help = "of a new migration that is made of the schema and shown first"},
    {0},
};

static const CmdExample workflow_examples[] = {
    {"aramid workflow", "a release on the project's database"},
    {"aramid workflow add_user_bio", "from the schema to the database: create and show before it"},
    {"aramid workflow --env production --yes", "in a pipeline"},
    {"aramid workflow --skip generate --skip verify", "where the application is built elsewhere"},
    {"aramid workflow --dry-run", "what it would do"},
    {0},
};

static const CmdSpec workflow = {
    .name = "workflow", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "validate, status, deploy, generate, verify: a whole release",
    .description =
        "Runs the commands of a release one after the other: `validate`, `status`, `deploy` (with "
        "the backup that the policy wants before it), `generate`, and `check` with the database. It "
        "stops at the first that fails, with its exit status, and says what was done, what was not "
        "and how to go on. What is done is not done twice: the same command goes on.\n\n"
        "With a NAME the migration that the schema needs is made first, as `aramid create` does, and shown.\n\n"
        "`status` only stops it where a deploy could not help: a failed migration, or tables without "
        "history. A schema that the migrations do not make yet is told by the last step.",
    .args = workflow_args, .options = workflow_options, .examples = workflow_examples, .run = cmd_workflow,
};

static const OptSpec resolve_options[] = {
    {.name = "applied", .type = OPT_TEXT, .value = "NAME", .name_or = "up-to",
     .help = "record this migration as applied, without running it"},
    {.name = "up-to", .type = OPT_TEXT, .value = "NAME", .name_or = "applied",
     .needs = "applied",
     .help = "with --applied: this migration and all older ones (baseline)"},
    {.name = "history", .type = OPT_TEXT, .value = "TOOL", .needs = "up-to",
     .help = "with --up-to, of several histories only this one: prisma, supabase"},
    {.name = "rolled-back", .type = OPT_TEXT, .value = "NAME",
     .help = "record this failed migration as rolled back, so that it runs again"},
    {.name = "auto", .type = OPT_TEXT, .value = "NAME", .may_be_bare = true,
     .help = "decide by comparing the database with what the migration changes; without NAME: for every "
             "failed one"},
    {.name = "dry-run", .type = OPT_FLAG, .needs = "auto",
     .help = "with --auto: only tell what it would decide, and by what evidence"},
    {.name = "force", .type = OPT_FLAG,
     .help = "believe it without looking for the objects that the migration makes"},
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),
     .help = "make a backup before the history is changed; production does so by itself"},
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",
     .help = "with --no-backup: why there is none; it is recorded"},
    {0},
};

static const char *const resolve_one_of[] = {"applied", "rolled-back", "auto", NULL},
                        *const migrate_resolve_one_of[] = {"applied", "rolled-back", NULL};

static const CmdConflict resolve_conflicts[] = {
    {"rolled-back", "up-to"}, {"auto", "up-to"}, {"auto", "force"}, {0}};

static const CmdExit reconcile_exits[] = {
    {10, "migrations are pending or interrupted; `aramid deploy` applies them"},
    {60, "something is left that no evidence decides: it is named, with what to type"},
    {0},
};

static const CmdExample resolve_examples[] = {
    {"aramid resolve --applied 20240102030405_add_users", "it was run by hand"},
    {"aramid resolve --applied --up-to 20240102030405_add_users",
     "baseline: the database already has all of these"},
    {"aramid resolve --rolled-back 20240102030405_add_users",
     "what a failed run left was undone by hand"},
    {"aramid resolve --auto --dry-run", "what the database says about the failed ones"},
    {0},
};

static const CmdSpec resolve = {
    .name = "resolve", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "correct the history by hand",
    .description =
        "Writes to the migration history only, never to your tables. Before a migration is "
        "recorded as applied, the objects that its SQL names are looked up in the database; when "
        "they are not there the command refuses, unless --force is given.\n\n"
        "--auto decides by itself: the migrations are replayed on a private server without this one and "
        "with it, and its own effect is looked for in the database. All there: recorded as applied. "
        "Nothing there: marked as rolled back, so that the next deploy runs it. Partly, or only rows are "
        "changed: nothing is recorded, and what is there and what is missing is listed.",
    .options = resolve_options, .one_of = {resolve_one_of}, .conflicts = resolve_conflicts,
    .examples = resolve_examples, .exits = reconcile_exits, .run = cmd_resolve,
};

static const OptSpec reconcile_options[] = {
    {.name = "dry-run", .type = OPT_FLAG, .help = "show the differences and repairs, and change nothing"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay the migrations in; default: a private server"},
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),
     .help = "make a backup before the history is changed; production does so by itself"},
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",
     .help = "with --no-backup: why there is none; it is recorded"},
    {0},
};

static const CmdExample sync_examples[] = {
    {"aramid sync --dry-run", "what differs, and what would be done about it"},
    {"aramid sync --env production", "repair the history; asks first"},
    {0},
};

static const CmdSpec sync = {
    .name = "sync", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "make files, history and database agree",
    .description =
        "Compares the migrations folder, the history table and the live database, and names the class of "
        "each difference: pending, order, unrecorded, partly, failed, interrupted, edited, renamed, "
        "missing, doubled, incomplete, outdated, drift. What the database proves is repaired: a migration "
        "whose whole effect is there gets its row, a failed one that left nothing is marked as rolled "
        "back, rows that are there twice go.\n\n"
        "Only the history table is written, in one transaction under the migration lock, after what is "
        "about to be done was shown. Migrations are never run (`aramid deploy` does that), and what no "
        "evidence decides is left, with what to type.",
    .options = reconcile_options, .examples = sync_examples, .exits = reconcile_exits, .run = cmd_sync,
};

static const CmdExample fix_examples[] = {
    {"aramid fix --dry-run", "which rows are wrong, and what would be done about them"},
    {"aramid fix --yes", "in a script"},
    {0},
};

static const CmdSpec fix = {
    .name = "fix", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "repair the rows of the history table",
    .description =
        "The part of `aramid sync` that looks at the history table alone: rows that are there twice "
        "(Drizzle's tool takes no lock), without the time or name that the tool looks for (it would run "
        "everything again), with the hash of other line ends, of failed migrations, and tables of an "
        "older version of the tool. Each is told with what will be done about it before it is done.\n\n"
        "All repairs are one transaction under the migration lock, with the table locked; it is taken "
        "back unless the table then holds exactly the rows that it should.",
    .options = reconcile_options, .examples = fix_examples, .exits = reconcile_exits, .run = cmd_fix,
};

static const OptSpec clean_options[] = {
    {.name = "dry-run", .type = OPT_FLAG, .help = "only list what would be removed"},
    {0},
};

static const CmdExample clean_examples[] = {
    {"aramid clean --dry-run", "what is left over, and how that is known"},
    {"aramid clean --yes", "in a nightly job"},
    {0},
};

static const CmdSpec clean = {
    .name = "clean", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "remove what interrupted and old runs have left",
    .description =
        "Removes what is proven to be left over: invalid indexes of statements that the journal knows to be "
        "interrupted, steps in the journal of migrations that are settled, server processes of runs whose "
        "program is gone, logs of old runs (setting runs.retention_days) and backups "
        "(backup.retention_days), folders of temporary servers whose process is gone, and folders of "
        "migrations that are empty and were never applied.\n\n"
        "Each is listed with the reason before anything is removed. Never removed: a migration with a "
        "file, anything of an applied one, an object of yours.",
    .options = clean_options, .examples = clean_examples, .run = cmd_clean,
};

static const ArgSpec adopt_args[] = {
    {.name = "TOOL", .required = true,
     .help = "prisma, drizzle, drizzle-1, supabase, dbmate or sql: whose history it is to be"},
    {0},
};

static const OptSpec adopt_options[] = {
    {.name = "up-to", .type = OPT_TEXT, .value = "NAME",
     .help = "only this migration and all older ones; the next deploy runs the rest"},
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "only compare and show what would be recorded"},
    {.name = "force", .type = OPT_FLAG,
     .help = "record them without comparing the database with what they make"},
    {.name = "backup", .type = OPT_FLAG, .negatable = true, .config = CLI_SETS(BACKUP),
     .help = "make a backup before the history is made; production does so by itself"},
    {.name = "reason", .type = OPT_TEXT, .value = "TEXT", .needs = "backup",
     .help = "with --no-backup: why there is none; it is recorded"},
    {0},
};

static const CmdExample adopt_examples[] = {
    {"aramid adopt prisma --dry-run", "does prisma/migrations make this database?"},
    {"aramid adopt drizzle --migrations db/drizzle", "record its migrations as applied"},
    {0},
};

static const CmdSpec adopt = {
    .name = "adopt", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "move a database to another tool's history",
    .description =
        "Makes the history table of TOOL from its folder, and runs nothing: the migrations are "
        "replayed on a private server, and are recorded as applied when they make exactly what is in "
        "the database. Else the differences are shown, and nothing is changed.\n\n"
        "The old tool's table is left alone and named, with the statement that drops it.",
    .args = adopt_args, .options = adopt_options, .examples = adopt_examples, .run = cmd_adopt,
};

static const ArgSpec unlock_args[] = {
    {.name = "PID", .is_number = true,
     .help = "server process to end; without it the processes are only shown"},
    {0},
};

static const CmdExample unlock_examples[] = {
    {"aramid unlock", "show who holds the migration lock, since when, from where"},
    {"aramid unlock 4711 --yes", "end that one"},
    {0},
};

static const CmdSpec unlock = {
    .name = "unlock", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "show or end orphaned migration runs",
    .description =
        "Shows the server processes that hold Aramid's or Prisma's migration lock or that a dead "
        "runner left behind. With a PID it ends that process on the server, after asking; only "
        "processes of migration runs can be ended this way.",
    .args = unlock_args, .examples = unlock_examples, .run = cmd_unlock,
};

static const CmdExample identity_show_examples[] = {
    {"aramid identity", "of the project's database"},
    {"aramid identity --env production", "of production"},
    {0},
};

#define IDENTITY_DESCRIPTION                                                                       \
    "The first deploy with a named environment writes into the database which one it is. Later "    \
    "runs for another environment are refused, and so are copies that still say they are the "      \
    "original. This command shows what is written, when and by whom, and whether the database "     \
    "is still where it was then."

static const CmdSpec identity = {
    .name = "identity", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_JSON,
    .summary = "show which environment the database says it is",
    .description = IDENTITY_DESCRIPTION "\n\nSee also: aramid identity set, aramid identity forget.",
    .examples = identity_show_examples, .run = cmd_identity_show,
};

static const CmdSpec identity_show = {
    .name = "identity show", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_JSON,
    .summary = "the same as `aramid identity`", .description = IDENTITY_DESCRIPTION,
    .examples = identity_show_examples, .run = cmd_identity_show,
};

static const ArgSpec identity_set_args[] = {
    {.name = "ENVIRONMENT", .required = true,
     .help = "what the database is from now on: staging, production, ..."},
    {0},
};

static const OptSpec identity_set_options[] = {
    {.name = "name", .type = OPT_TEXT, .value = "TEXT",
     .help = "a word for people beside it: \"copy of Monday\""},
    {0},
};

static const CmdExample identity_set_examples[] = {
    {"aramid identity set staging", "after production was copied to staging's database"},
    {"aramid identity set preview --name pr-12 --yes", "in a pipeline that makes a branch"},
    {0},
};

static const CmdSpec identity_set = {
    .name = "identity set", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "say which environment the database is",
    .description =
        "Writes the environment into the database that the configuration of this environment leads "
        "to, or --url. A database that says that it is another one and is not a proven copy is only "
        "renamed after a question; --yes answers.",
    .args = identity_set_args, .options = identity_set_options, .examples = identity_set_examples,
    .run = cmd_identity_set,
};

static const CmdSpec identity_forget = {
    .name = "identity forget", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "take out which environment the database is",
    .description =
        "Afterwards the database does not say who it is, and the next deploy with a named "
        "environment writes it anew. Asks first; --yes answers.",
    .run = cmd_identity_forget,
};

/* ---- schema --------------------------------------------------------------------------------- */

static const char *const prisma_choices[] = {"5", "6", "7", NULL};

static const OptSpec validate_options[] = {
    {.name = "prisma", .type = OPT_CHOICE, .value = "N", .choices = prisma_choices,
     .help = "hold to one generation of Prisma: 5, 6 or 7; without it, what any of them accepts "
             "is valid, with a warning where they disagree"},
    {0},
};

static const CmdExit validate_exits[] = {{1, "the schema is not valid"}, {0}};

static const CmdExample validate_examples[] = {
    {"aramid validate", "the project's schema"},
    {"aramid validate --schema prisma/schema --prisma 7", "a folder, by the rules of Prisma 7"},
    {0},
};

static const CmdSpec validate = {
    .name = "validate", .group = CMD_GROUP_SCHEMA, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "check schema.prisma",
    .description =
        "Finds every error of the schema in one pass, without a database; causes come before their "
        "consequences. Each is printed as PATH:LINE:COLUMN: error: ... with the source line, and "
        "with a hint where there is one. "
        "Under GitHub Actions the errors are also shown as annotations.",
    .options = validate_options, .examples = validate_examples, .exits = validate_exits,
    .run = cmd_validate,
};

static const OptSpec format_options[] = {
    {.name = "check", .type = OPT_FLAG,
     .help = "change nothing; name the files that are not formatted and exit with 1"},
    {0},
};

static const CmdExit format_exits[] = {
    {1, "the schema has syntax errors, or with --check: a file is not formatted"},
    {0},
};

static const CmdExample format_examples[] = {
    {"aramid format", "rewrite the project's schema files"},
    {"aramid format --check", "in a pipeline"},
    {"aramid format < schema.prisma", "from standard input to standard output, for editors"},
    {0},
};

static const CmdSpec format = {
    .name = "format", .group = CMD_GROUP_SCHEMA, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT,
    .summary = "lay out schema.prisma",
    .description =
        "Writes the schema in the layout of Prisma's formatter and adds the relation fields that "
        "it would add. No comment is lost.\n\n"
        "Without --schema, and when standard input is a pipe or a file, the schema is read there "
        "and the result goes to standard output. An empty input is no schema: then --check looks "
        "at the project's files.",
    .options = format_options, .examples = format_examples, .exits = format_exits,
    .run = cmd_format,
};

static const CmdExit schema_exits[] = {
    {1, "the schema has errors: what could not be understood is missing"},
    {0},
};

static const CmdExample schema_examples[] = {
    {"aramid schema", "models, tables, fields and relations"},
    {"aramid schema --json", "for a program"},
    {0},
};

static const CmdSpec schema = {
    .name = "schema", .group = CMD_GROUP_SCHEMA, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "show what schema.prisma says",
    .description = "Prints what Aramid understood of the schema: enums, models with their tables, "
                   "fields with their columns, and relations.",
    .examples = schema_examples, .exits = schema_exits, .run = cmd_schema,
};

static const char *const from_datamodel[] = {"from-schema-datamodel", NULL};
static const char *const to_datamodel[] = {"to-schema-datamodel", NULL};
static const char *const diff_prisma_choices[] = {"6", "7", NULL};

#define SIDES                                                                                  \
    {.name = "from-empty", .type = OPT_FLAG, .help = "from an empty database"},                \
    {.name = "from-schema", .type = OPT_PATH, .value = "PATH", .other_names = from_datamodel,  \
     .help = "from a schema.prisma, or a folder of .prisma files"},                            \
    {.name = "from-migrations", .type = OPT_PATH, .value = "DIR",                              \
     .help = "from what the migrations of a folder make"},                                     \
    {.name = "from-url", .type = OPT_URL, .value = "URL", .help = "from a live database"},     \
    {.name = "from-sql", .type = OPT_PATH, .value = "PATH",                                    \
     .help = "from what a file, or a folder of files, of SQL makes"},                          \
    {.name = "from-config-datasource", .type = OPT_FLAG,                                       \
     .help = "from the database that the configuration names"},                                \
    {.name = "from-schema-datasource", .type = OPT_PATH, .value = "PATH",                      \
     .help = "from the database that this schema's project uses"},                             \
    {.name = "to-empty", .type = OPT_FLAG, .help = "to an empty database"},                    \
    {.name = "to-schema", .type = OPT_PATH, .value = "PATH", .other_names = to_datamodel,      \
     .help = "to a schema.prisma, or a folder of .prisma files"},                              \
    {.name = "to-migrations", .type = OPT_PATH, .value = "DIR",                                \
     .help = "to what the migrations of a folder make"},                                       \
    {.name = "to-url", .type = OPT_URL, .value = "URL", .help = "to a live database"},         \
    {.name = "to-sql", .type = OPT_PATH, .value = "PATH",                                      \
     .help = "to what a file, or a folder of files, of SQL makes"},                            \
    {.name = "to-config-datasource", .type = OPT_FLAG,                                         \
     .help = "to the database that the configuration names"},                                  \
    {.name = "to-schema-datasource", .type = OPT_PATH, .value = "PATH",                        \
     .help = "to the database that this schema's project uses"}

static const OptSpec diff_options[] = {
    SIDES,
    {.name = "script", .type = OPT_FLAG, .help = "print the SQL instead of a summary"},
    {.name = "exit-code", .type = OPT_FLAG,
     .help = "exit with 0 when both are equal, 2 when they differ, 1 for every error"},
    {.name = "output", .letter = 'o', .type = OPT_PATH, .value = "FILE",
     .help = "write the result into this file"},
    {.name = "rename", .type = OPT_TEXT, .value = "OLD:NEW", .repeatable = true,
     .help = "rename instead of dropping and adding: User:Account, User.mail:email, Role.ADMIN:OWNER"},
    {.name = "prisma-compat", .type = OPT_FLAG,
     .help = "print what Prisma's engine would, its mistakes included"},
    {.name = "prisma", .type = OPT_CHOICE, .value = "N", .choices = diff_prisma_choices,
     .help = "generation of Prisma whose rules hold: 6 or 7"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .other_names = shadow_names,
     .config = CLI_SETS(SHADOW_URL),
     .help = "replay on this empty database instead of a private PostgreSQL"},
    {0},
};

static const char *const diff_from[] = {
    "from-schema", "from-migrations", "from-url", "from-sql", "from-empty",
    "from-config-datasource", "from-schema-datasource", NULL,
};
static const char *const diff_to[] = {
    "to-schema", "to-migrations", "to-url", "to-sql", "to-empty", "to-config-datasource",
    "to-schema-datasource", NULL,
};

static const CmdExit diff_exits[] = {
    {1, "with --exit-code: an error"},
    {2, "with --exit-code: the two differ"},
    {19, "the settings (`findings`) make an error of what was found"},
    {0},
};

static const CmdExample diff_examples[] = {
    {"aramid diff --from-migrations migrations --to-schema schema.prisma --script",
     "the SQL of the next migration"},
    {"aramid diff --from-config-datasource --to-schema schema.prisma --exit-code",
     "in a pipeline: does the database hold what the schema says?"},
    {"aramid diff --from-url $STAGING --to-url $PRODUCTION", "two databases"},
    {0},
};

static const CmdSpec diff = {
    .name = "diff", .group = CMD_GROUP_SCHEMA, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "compare two schemas; the SQL from one to the other",
    .description =
        "A schema comes from schema.prisma, from migrations, from SQL, from a live database, or is "
        "empty. Migrations and SQL are run on a private PostgreSQL (--shadow-url: elsewhere); "
        "databases are only read. Where one side is in Prisma's language, what that cannot say is "
        "left as it is.\n\n"
        "What would lose data or fail on existing rows is said beside the summary, and on standard "
        "error beside a script.",
    .options = diff_options, .one_of = {diff_from, diff_to}, .examples = diff_examples,
    .exits = diff_exits, .run = cmd_diff,
};

static const char *const erd_formats[] = {"svg", "mermaid", "html", NULL};
static const char *const erd_shows[] = {"columns", "keys", "names", NULL};

static const OptSpec erd_options[] = {
    SIDES,
    {.name = "database", .type = OPT_FLAG, .help = "of the project's database, which is only read"},
    {.name = "history", .type = OPT_FLAG, .help = "of what the project's migrations make"},
    {.name = "format", .type = OPT_CHOICE, .value = "FORMAT", .choices = erd_formats,
     .help = "svg, mermaid or html; default: by the name of the file (.svg, .mmd, .md, .html), else svg"},
    {.name = "show", .type = OPT_CHOICE, .value = "WHAT", .choices = erd_shows,
     .help = "of each table: all columns (the default), only keys, or only names"},
    {.name = "around", .type = OPT_TEXT, .value = "TABLE", .help = "only this table and its neighbours"},
    {.name = "depth", .type = OPT_INT, .value = "N", .min = 0, .max = 100, .needs = "around",
     .help = "with --around: how many joins away; default: 1"},
    {.name = "all", .type = OPT_FLAG,
     .help = "of a difference: also tables and columns that did not change"},
    {.name = "rename", .type = OPT_TEXT, .value = "OLD:NEW", .repeatable = true,
     .help = "of a difference: what was renamed, as for `aramid diff`"},
    {.name = "output", .letter = 'o', .type = OPT_PATH, .value = "FILE",
     .help = "write the diagram into this file"},
    {.name = "shadow-url", .type = OPT_URL, .value = "URL", .config = CLI_SETS(SHADOW_URL),
     .other_names = shadow_names,
     .help = "an empty database to replay migrations in; default: a private server"},
    {0},
};

static const CmdConflict erd_conflicts[] = {{"database", "history"}, {0}};

static const CmdExample erd_examples[] = {
    {"aramid erd -o schema.svg", "of the project's schema.prisma, else of its migrations"},
    {"aramid erd --around User --depth 2 -o user.svg", "a table, its neighbours and theirs"},
    {"aramid erd --database --env staging -o staging.html", "of a database, as a page"},
    {"aramid erd --from-migrations migrations --to-schema schema.prisma -o next.svg",
     "what the next migration changes"},
    {"aramid erd --format mermaid --show keys", "for a README"},
    {0},
};

static const CmdSpec erd = {
    .name = "erd", .group = CMD_GROUP_SCHEMA, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE,
    .summary = "draw a diagram of a schema, a database or a difference",
    .description =
        "Draws tables, columns and foreign keys: of schema.prisma, or of what --database, --history or --to-... names. "
        "With --from-... it is a difference: what is new, changed or removed is marked with +, ~ and a minus, "
        "and of the rest only what is joined to it is shown.\n\n"
        "An SVG stands alone, light and dark; a page (html) holds one. Nothing in either runs or loads anything. No "
        "line runs through a table, and the same schema gives the same diagram, byte for byte.\n\n"
        "schema.prisma needs no server. Migrations and SQL are run on a private PostgreSQL; databases are only read.",
    .options = erd_options, .conflicts = erd_conflicts, .examples = erd_examples, .run = cmd_erd,
};

static const OptSpec pull_options[] = {
    {.name = "print", .type = OPT_FLAG,
     .help = "print the schema on standard output and write no file"},
    {.name = "force", .type = OPT_FLAG,
     .help = "begin anew: of the schema that is there only the datasource and the generators stay; "
             "nobody is asked"},
    {.name = "schemas", .type = OPT_TEXT, .value = "A,B",
     .help = "schemas of the database to read; they are written into the datasource"},
    {0},
};

static const CmdExample pull_examples[] = {
    {"aramid pull", "show what differs, ask, and write schema.prisma"},
    {"aramid pull --yes", "without a question"},
    {"aramid pull --print > new.prisma", "look at it only"},
    {0},
};

static const CmdSpec pull = {
    .name = "pull", .group = CMD_GROUP_SCHEMA, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "write schema.prisma from the database",
    .description =
        "Reads the database in a READ ONLY transaction and brings schema.prisma in line with it. "
        "Models, enums and fields that are there are edited in place: names, order, comments, "
        "groups, and what the database cannot know stay, and so does every block that already says "
        "the same. What Prisma's language cannot say is told in comments and warnings.\n\n"
        "The difference is shown and confirmed before a file is changed; files are replaced as a "
        "whole. A schema that would not be valid is never written.",
    .options = pull_options, .examples = pull_examples, .exits = write_exits, .run = cmd_pull,
};

static const ArgSpec generate_args[] = {
    {.name = "ARGUMENT", .repeatable = true,
     .help = "more for the tool itself; behind -- when it begins with a dash"},
    {0},
};

static const OptSpec generate_options[] = {
    {.name = "dry-run", .type = OPT_FLAG, .help = "show the command line and run nothing"},
    {0},
};

static const CmdExit generate_exits[] = {{7, "the tool is not installed, or it failed"}, {0}};

static const CmdExample generate_examples[] = {
    {"aramid generate", "the client of schema.prisma"},
    {"aramid generate --dry-run", "show what would be run"},
    {0},
};

static const CmdSpec generate = {
    .name = "generate", .group = CMD_GROUP_SCHEMA, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "run the project's own generator (Prisma's, drizzle-kit's)",
    .description =
        "Runs `prisma generate`, or `drizzle-kit generate` in a project with a drizzle.config, as "
        "it is installed in the project's node_modules, with the variables of the .env files. Its "
        "output is shown as it comes; the setting timeouts.generate limits it. Aramid generates "
        "nothing itself and downloads nothing.",
    .args = generate_args, .options = generate_options, .examples = generate_examples,
    .exits = generate_exits, .run = cmd_generate,
};

/* ---- backups -------------------------------------------------------------------------------- */

static const char *const backup_formats[] = {"sql", "sql.zst", "dump", NULL};
static const char *const backup_methods[] = {"auto", "pg_dump", "native", "command", NULL};

static const OptSpec backup_options[] = {
    {.name = "name", .type = OPT_TEXT, .value = "PATTERN",
     .help = "name of its files instead of the time, such as 'backup-%Y%m%d-%H%M' (UTC)"},
    {.name = "dir", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(BACKUP_DIR),
     .help = "folder of the backups; default: backups"},
    {.name = "format", .type = OPT_CHOICE, .value = "FORMAT", .choices = backup_formats,
     .config = CLI_SETS(BACKUP_FORMAT),
     .help = "sql, sql.zst (compressed) or dump (for pg_restore)"},
    {.name = "method", .type = OPT_CHOICE, .value = "HOW", .choices = backup_methods,
     .config = CLI_SETS(BACKUP_METHOD),
     .help = "pg_dump, native (Aramid's own dump), command, or auto"},
    {.name = "encrypt-to", .type = OPT_TEXT, .value = "KEYS", .config = CLI_SETS(BACKUP_KEYS),
     .help = "public keys of age (age1...), with commas between them"},
    {.name = "timeout", .type = OPT_DURATION, .value = "DURATION",
     .config = CLI_SETS(BACKUP_TIMEOUT), .help = "limit for the whole backup; 0 = none"},
    {0},
};

static const CmdExample backup_examples[] = {
    {"aramid backup", "of the project's database, into backups/"},
    {"aramid backup --name 'backup-%Y%m%d-%H%M' --format sql.zst", "named by the minute, compressed"},
    {"aramid backup list", "what there is"},
    {"aramid backup verify", "read the newest one back"},
    {0},
};

#define BACKUP_DESCRIPTION                                                                         \
    "Dumps the database with a pg_dump that is new enough for the server, reads the result back "  \
    "as a whole, and keeps it with a copy of schema.prisma and a manifest: server, sizes, SHA-256, " \
    "and rows and checksum of each table. Files are readable for their owner only. Whatever goes " \
    "wrong leaves nothing that looks like a backup.\n\n"                                           \
    "A run that is under way is waited for. Afterwards backups that are older than "               \
    "backup.retention_days (30) are removed, never the newest good one. Roles and passwords of "   \
    "the server are not part of a backup."

static const CmdExit backup_exits[] = {
    {19, "it was made, but the settings (`findings`) make an error of what was found"},
    {0},
};

static const CmdSpec backup = {
    .name = "backup", .group = CMD_GROUP_BACKUP, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON, .summary = "make a backup now, and prove it",
    .description = BACKUP_DESCRIPTION
        "\n\nSee also: aramid backup list, aramid backup verify, aramid backup prune.",
    .options = backup_options, .examples = backup_examples, .exits = backup_exits,
    .run = cmd_backup,
};

static const CmdSpec backup_create = {
    .name = "backup create", .group = CMD_GROUP_BACKUP, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON, .summary = "the same as `aramid backup`",
    .description = BACKUP_DESCRIPTION, .options = backup_options, .examples = backup_examples,
    .exits = backup_exits, .run = cmd_backup,
};

static const OptSpec backup_list_options[] = {
    {.name = "dir", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(BACKUP_DIR),
     .help = "folder of the backups; default: backups"},
    {0},
};

static const CmdSpec backup_list = {
    .name = "backup list", .group = CMD_GROUP_BACKUP, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON, .summary = "show the backups there are",
    .description =
        "Lists the backups of the folder, the newest first: when, of what, how large, and whether "
        "its files are there in full size. Contents are not read; `aramid backup verify` does "
        "that. No database is asked.",
    .options = backup_list_options, .run = cmd_backup_list,
};

static const ArgSpec backup_verify_args[] = {
    {.name = "BACKUP", .repeatable = false, .help = "id or file; default: the newest"},
    {0},
};

static const OptSpec backup_verify_options[] = {
    {.name = "dir", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(BACKUP_DIR),
     .help = "folder of the backups; default: backups"},
    {.name = "all", .type = OPT_FLAG, .help = "every backup of the folder"},
    {.name = "identity", .type = OPT_PATH, .value = "FILE", .config = CLI_SETS(BACKUP_IDENTITY),
     .help = "file with the secret key of age, for encrypted ones"},
    {.name = "drill", .type = OPT_FLAG,
     .help = "restore it into a throwaway server of our own, and compare every table"},
    {0},
};

static const CmdConflict backup_verify_conflicts[] = {{"drill", "all"}, {0}};

static const CmdExit backup_verify_exits[] = {{51, "a backup is damaged"}, {0}};

static const CmdSpec backup_verify = {
    .name = "backup verify", .group = CMD_GROUP_BACKUP, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON, .summary = "read a backup back and compare it",
    .description =
        "Reads every byte of a backup and compares it with its manifest: SHA-256 of the files, "
        "rows and checksum of each table, large objects, and that the dump is whole. Without its "
        "key an encrypted one is compared by SHA-256 only, and that is said. No database is "
        "asked.\n\n"
        "With --drill it is also restored, into a private PostgreSQL of the same or a newer major "
        "version that is thrown away afterwards: the proof that it can be.",
    .args = backup_verify_args, .options = backup_verify_options,
    .conflicts = backup_verify_conflicts, .exits = backup_verify_exits,
    .run = cmd_backup_verify,
};

static const ArgSpec restore_args[] = {
    {.name = "BACKUP", .help = "id or file, also of a pg_dump; default: the newest"},
    {0},
};

static const OptSpec restore_options[] = {
    {.name = "replace", .type = OPT_FLAG,
     .help = "give the restored database the name of the project's one, which is kept under a "
             "dated name"},
    {.name = "confirm", .type = OPT_TEXT, .value = "NAME", .needs = "replace",
     .help = "with --replace: the database's name, where nobody can be asked"},
    {.name = "force", .type = OPT_FLAG, .needs = "replace",
     .help = "with --replace: end the sessions of others on it"},
    {.name = "name", .type = OPT_TEXT, .value = "NAME", .help = "name of the new database"},
    {.name = "into", .type = OPT_URL, .value = "URL",
     .help = "restore into this empty database, where none may be made"},
    {.name = "only-tables", .type = OPT_TEXT, .value = "TABLES",
     .help = "rows of these tables only, and of those that their foreign keys need; with --into: into "
             "empty tables of a database that is in use"},
    {.name = "no-owner", .type = OPT_FLAG, .help = "everything belongs to the role that restores"},
    {.name = "no-privileges", .type = OPT_FLAG, .help = "leave GRANT and REVOKE out"},
    {.name = "dry-run", .type = OPT_FLAG,
     .help = "read the backup, look at the server, say what would be done"},
    {.name = "dir", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(BACKUP_DIR),
     .help = "folder of the backups; default: backups"},
    {.name = "identity", .type = OPT_PATH, .value = "FILE", .config = CLI_SETS(BACKUP_IDENTITY),
     .help = "file with the secret key of age, for encrypted ones"},
    {0},
};

static const CmdConflict restore_conflicts[] = {
    {"into", "replace"}, {"into", "name"}, {"name", "replace"}, {"into", "url"},
    {"only-tables", "replace"}, {0},
};

static const CmdExit restore_exits[] = {
    {19, "the settings (`findings`) make an error of what was found: nothing is made"},
    {51, "the backup is damaged or cut off"},
    {53, "it could not be restored; nothing that was there was changed"},
    {0},
};

static const CmdExample restore_examples[] = {
    {"aramid restore --dry-run", "what the newest backup holds, and what would be made"},
    {"aramid restore 20261121T022246Z", "into a new database beside the old one"},
    {"aramid restore --replace backups/db-backup-20261121T022246Z.sql", "in its place"},
    {0},
};

static const CmdSpec restore = {
    .name = "restore", .group = CMD_GROUP_BACKUP, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "bring a backup back, beside the database or in its place",
    .description =
        "Reads the whole backup first; then makes a new database, restores into it in one "
        "transaction, reads every table back and compares it. Only a database that is whole is "
        "there afterwards; the old one is not touched. With --replace the two exchange names at "
        "the end, and the old one is kept under a dated name.\n\n"
        "Knows backups of Aramid (plain, compressed, encrypted) and files of pg_dump (plain and "
        "custom). The history of migrations comes with the backup: what is newer is named, and "
        "the next deploy applies it.",
    .args = restore_args, .options = restore_options, .conflicts = restore_conflicts,
    .examples = restore_examples, .exits = restore_exits, .run = cmd_restore,
};

static const OptSpec backup_prune_options[] = {
    {.name = "dir", .type = OPT_PATH, .value = "DIR", .config = CLI_SETS(BACKUP_DIR),
     .help = "folder of the backups; default: backups"},
    {.name = "days", .type = OPT_INT, .value = "N", .min = 1, .max = 36500,
     .config = CLI_SETS(BACKUP_DAYS), .help = "keep those of so many days; default: 30"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "only say which would be removed"},
    {0},
};

static const CmdSpec backup_prune = {
    .name = "backup prune", .group = CMD_GROUP_BACKUP, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON, .summary = "remove old backups",
    .description =
        "Removes complete backups of Aramid's that are older than backup.retention_days (30). The "
        "newest good one of each database always stays: it is read back before anything older is "
        "removed. Other files in the folder are never touched.",
    .options = backup_prune_options, .run = cmd_backup_prune,
};

/* ---- embedded database ---------------------------------------------------------------------- */

static const CmdExample db_url_examples[] = {
    {"psql \"$(aramid db url)\"", "open the embedded database"},
    {0},
};

static const CmdSpec db_url = {
    .name = "db url", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "start the embedded server and print its URL",
    .description =
        "Prints a connection URL of the project's embedded PostgreSQL, which is made and started "
        "when needed. The server listens on a unix socket only.",
    .examples = db_url_examples, .run = cmd_db_url,
};

static const OptSpec testdb_options[] = {
    {.name = "count", .letter = 'n', .type = OPT_INT, .value = "N", .min = 1, .max = 1000,
     .help = "so many, each on its own line (default 1)"},
    {.name = "owner", .type = OPT_INT, .value = "PID", .min = 1, .max = 4194304,
     .help = "the process that runs the tests: its end gives the databases back"},
    {.name = "ttl", .type = OPT_DURATION, .value = "DURATION", .config = CLI_SETS(TESTDB_TTL),
     .help = "how long they may be used; then they are dropped (setting testdb.ttl, default 1h)"},
    {.name = "no-seed", .type = OPT_FLAG, .help = "without the project's seeds"},
    {0},
};

static const CmdExample testdb_examples[] = {
    {"aramid testdb", "one for a whole run: DATABASE_URL=$(aramid testdb) npm test"},
    {"aramid testdb --count 4 --owner $$", "one for each worker; dropped when this shell has ended"},
    {"aramid testdb --url postgres://postgres:postgres@localhost:5432/postgres", "on a server of your own"},
    {0},
};

static const CmdSpec testdb = {
    .name = "testdb", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "a database of its own for a test, with all migrations and seeds",
    .description =
        "Prints the URL of a new database that has all migrations and seeds of the project. It is a clone of a template "
        "which is made once for each history (its name is a hash of the texts) and a few clones are kept ready, so that "
        "the answer takes some milliseconds. When a migration is added, the new template begins as a clone of the newest "
        "one that has the migrations before it.\n\n"
        "The databases are made on a server of the project's own, without durability; with --url or the setting testdb.url "
        "on that server, whose role needs CREATEDB. Never on the database that the project deploys to. They are dropped "
        "when their time is up or their owner has ended, by the next call.",
    .options = testdb_options, .examples = testdb_examples, .run = cmd_testdb,
};

static const CmdSpec testdb_list = {
    .name = "testdb list", .group = CMD_GROUP_EMBEDDED, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "databases for tests, and their templates",
    .description = "Lists what `aramid testdb` has made on the server: templates, clones that are ready, and those that are "
                   "taken, with the time that they have left.",
    .run = cmd_testdb_list,
};

static const ArgSpec testdb_drop_args[] = {
    {.name = "DATABASE", .repeatable = true, .help = "its name, or the URL that was printed"},
    {0},
};

static const OptSpec testdb_drop_options[] = {
    {.name = "all", .type = OPT_FLAG, .help = "all of them, templates too, and the project's own server for them"},
    {0},
};

static const CmdSpec testdb_drop = {
    .name = "testdb drop", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "give a database for tests back",
    .description = "Drops databases that `aramid testdb` has made, also while somebody is connected. A name that is none of "
                   "those is refused.",
    .args = testdb_drop_args, .options = testdb_drop_options, .run = cmd_testdb_drop,
};

static const CmdSpec testdb_sweep = {
    .name = "testdb sweep", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "drop databases for tests whose time is up",
    .description = "Drops those whose time is up or whose owner has ended, what a killed call has left, and templates that "
                   "were not used for a week. Each call of `aramid testdb` does the same behind its answer.",
    .run = cmd_testdb_sweep,
};

static const CmdSpec db_start = {
    .name = "db start", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "make and start the embedded server",
    .description =
        "Makes the project's embedded PostgreSQL when there is none yet, starts it and waits "
        "until it accepts connections. It stops by itself after some idle time (setting "
        "embedded.idle). Commands that need it start it themselves.",
    .run = cmd_db_start,
};

static const CmdSpec db_stop = {
    .name = "db stop", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "stop the embedded server; its data stays",
    .description = "Stops the project's embedded PostgreSQL. Nothing to stop is no error.",
    .run = cmd_db_stop,
};

static const CmdSpec db_remove = {
    .name = "db remove", .group = CMD_GROUP_EMBEDDED, .class = CMD_DESTROYS_DATA,
    .uses = CMD_USES_PROJECT | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "delete the embedded server with all its data",
    .description =
        "Stops the project's embedded PostgreSQL and deletes its folder. Asks first; --yes is the "
        "answer for machines. Other databases are never touched. The next command that needs the "
        "embedded PostgreSQL makes an empty one.",
    .run = cmd_db_remove,
};

static const CmdExit db_status_exits[] = {{1, "it is not running, or not made yet"}, {0}};

static const CmdSpec db_status = {
    .name = "db status", .group = CMD_GROUP_EMBEDDED, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "show whether the embedded server runs",
    .description = "Looks at the project's embedded PostgreSQL without starting it.",
    .exits = db_status_exits, .run = cmd_db_status,
};

static const OptSpec supervise_options[] = {
    {.name = "project", .type = OPT_PATH, .value = "DIR", .help = "folder of the project"},
    {.name = "data-dir", .type = OPT_PATH, .value = "DIR", .help = "folder of the cluster"},
    {.name = "bindir", .type = OPT_PATH, .value = "DIR", .help = "folder of the server programs"},
    {.name = "idle", .type = OPT_DURATION, .value = "DURATION",
     .help = "stop the server after this time without a connection; 0 = never"},
    {0},
};

static const char *const supervise_one_of[] = {"project", NULL};

static const CmdSpec db_supervise = {
    .name = "db supervise", .group = CMD_GROUP_EMBEDDED, .class = CMD_WRITES_FILES,
    .hidden = true, .summary = "stop the embedded server when it is idle",
    .description = "Watches a running embedded PostgreSQL. Started by Aramid itself.",
    .options = supervise_options, .one_of = {supervise_one_of}, .run = cmd_db_supervise,
};

/* ---- information ---------------------------------------------------------------------------- */

static const char *const doctor_areas[] = {"config", "reach", "server", "ledgers", "tools", "identity",
                                           NULL};

static const OptSpec doctor_options[] = {
    {.name = "only", .type = OPT_CHOICE, .value = "AREA", .choices = doctor_areas,
     .help = "look at one area only: config, reach, server, ledgers, tools or identity"},
    {.name = "bundle", .type = OPT_FLAG,
     .help = "write an archive for support to FILE, or aramid-doctor-TIME.tar: findings, status, "
             "configuration, events of the last runs; no passwords, no rows, no SQL"},
    {0},
};

static const ArgSpec doctor_args[] = {
    {.name = "FILE", .help = "with --bundle: the archive; it must not exist yet"},
    {0},
};

static const CmdExit doctor_exits[] = {
    {19, "errors were found; warnings alone are 0"},
    {0},
};

static const CmdExample doctor_examples[] = {
    {"aramid doctor", "look at everything"},
    {"aramid doctor --env production --quiet", "only what is wrong, in production"},
    {"aramid doctor --only reach", "why the database cannot be reached"},
    {"aramid doctor --bundle", "the same, as an archive to send to somebody"},
    {0},
};

static const CmdSpec doctor = {
    .name = "doctor", .group = CMD_GROUP_INFORMATION, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "find what is wrong before the night does",
    .description =
        "Looks at the configuration and its origins, at the way to the database step by step (name, "
        "route, TLS, login, pooler, privileges that the pending migrations need), at the server "
        "(release, settings, room, sessions, invalid indexes, sequences near their end, ...), at the "
        "histories of migration tools, at the programs that are needed. Each finding comes with what "
        "to do.\n\n"
        "Nothing is changed anywhere. Works without a database, and with half of everything broken: "
        "each check is bounded in time and independent of the others.",
    .args = doctor_args, .options = doctor_options, .examples = doctor_examples,
    .exits = doctor_exits, .run = cmd_doctor,
};

static const OptSpec init_options[] = {
    {.name = "only", .type = OPT_TEXT, .value = "PARTS",
     .help = "write these parts only: npm, github, vercel, docker, k8s, with commas between them; "
             "default: what the project uses"},
    {.name = "profile", .type = OPT_TEXT, .value = "NAME",
     .help = "what the names of scripts mean: workflow, deploy, create, develop or prisma "
             "(docs/init.md)"},
    {.name = "branch", .type = OPT_TEXT, .value = "BRANCH=ENV", .repeatable = true,
     .help = "deploy this branch to this environment, instead of the branches that are there"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "show every change and write nothing"},
    {.name = "force", .type = OPT_FLAG,
     .help = "replace scripts and files that are there with another text; YAML never"},
    {.name = "beside", .type = OPT_FLAG,
     .help = "write what is kept because it is there with another text beside it, as "
             "FILE.aramid-new"},
    {0},
};

static const CmdConflict init_conflicts[] = {{"force", "beside"}, {0}};

static const CmdExample init_examples[] = {
    {"aramid init", "look at the project, show every change, ask, write"},
    {"aramid init --dry-run", "only look"},
    {"aramid init --yes --profile deploy --only npm,github", "without a terminal"},
    {"aramid init -C packages/db", "one of several schemas of a repository"},
    {0},
};

static const CmdSpec init = {
    .name = "init", .group = CMD_GROUP_INFORMATION, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "set up a project: scripts, workflows, images",
    .description =
        "Looks at the project (Prisma, Drizzle, Supabase, dbmate, plain SQL; package manager, "
        "GitHub, Vercel, Docker, Kubernetes) and writes aramid.yaml, the scripts that people type "
        "into package.json, workflows, an image, a job, and the entries of ignore files.\n\n"
        "Every change is shown before it is made; package.json keeps its layout. What is there with "
        "another text is shown and stays: scripts and files without --force, YAML always. All files "
        "are written or none. Running it again changes nothing.",
    .options = init_options, .conflicts = init_conflicts, .examples = init_examples,
    .exits = write_exits, .run = cmd_init,
};

static const OptSpec link_options[] = {
    {.name = "show", .type = OPT_FLAG, .help = "show where each environment leads; so it does without --project-ref, too"},
    {.name = "project-ref", .type = OPT_TEXT, .value = "REF",
     .help = "the project, as its dashboard's address has it; without it, the environments are shown"},
    {.name = "pooler-host", .type = OPT_TEXT, .value = "HOST",
     .help = "host of the session pooler (IPv4), as the dashboard shows it under Connect; default: what "
             "`supabase link` has kept of this project, else the direct host (IPv6)"},
    {.name = "password-variable", .type = OPT_TEXT, .value = "NAME",
     .help = "variable that holds the password; default: SUPABASE_DB_PASSWORD"},
    {.name = "replace", .type = OPT_FLAG, .help = "in place of another direct_url of the environment"},
    {.name = "dry-run", .type = OPT_FLAG, .help = "show what would be written and write nothing"},
    {0},
};

static const CmdConflict link_conflicts[] = {{"show", "project-ref"}, {0}};

static const CmdExample link_examples[] = {
    {"aramid link", "which environment is which database"},
    {"aramid link --project-ref abcdefghijklmnopqrst --env staging", "one of Supabase's projects"},
    {0},
};

static const CmdSpec link_project = {
    .name = "link", .group = CMD_GROUP_INFORMATION, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "say which Supabase project an environment is",
    .description =
        "Writes into aramid.yaml the direct_url of an environment, with the host of the project and the "
        "variable of its password, and changes nothing else there. There is no current link that "
        "other commands would follow: they go where --env says. Nothing is asked of Supabase.",
    .options = link_options, .conflicts = link_conflicts, .examples = link_examples, .run = cmd_link,
};

static const CmdExample config_show_examples[] = {
    {"aramid config show", "every setting and where its value comes from"},
    {"aramid config show --env production", "as it will be in production"},
    {0},
};

static const CmdSpec config_show = {
    .name = "config show", .group = CMD_GROUP_INFORMATION, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_JSON,
    .summary = "show every setting and its origin",
    .description =
        "Prints the environment, the places of schema and migrations, and each setting with its "
        "value and the flag, variable or file that it comes from. Passwords are never shown. No "
        "database is asked.",
    .examples = config_show_examples, .run = cmd_config_show,
};

static const ArgSpec explain_args[] = {
    {.name = "ID", .help = "name of an error or a finding, or a code of Prisma's (P3009); default: a list of all"},
    {0},
};

static const CmdExample explain_examples[] = {
    {"aramid explain server-dump", "what doctor means by it"},
    {"aramid explain P3009", "the errors behind a code of Prisma's"},
    {"aramid explain", "everything that can be explained"},
    {0},
};

static const CmdSpec explain = {
    .name = "explain", .group = CMD_GROUP_INFORMATION, .class = CMD_INFORMATION,
    .uses = CMD_USES_JSON, .summary = "explain an error or a finding",
    .description =
        "Says what an error or a finding means, when it comes and what to do, from the program's "
        "own tables: nothing is read and nobody is asked. Names stand in brackets behind warnings, "
        "and in --json as `code` and `id`. aramid.yaml may silence findings or change their "
        "severity.",
    .args = explain_args, .examples = explain_examples, .run = cmd_explain,
};

static const ArgSpec help_args[] = {
    {.name = "COMMAND", .repeatable = true, .help = "one word, or two such as \"db url\""},
    {0},
};

static const OptSpec help_options[] = {
    {.name = "all", .type = OPT_FLAG, .help = "the help of every command, hidden ones included"},
    {.name = "errors", .type = OPT_FLAG, .help = "the table of errors and exit statuses"},
    {.name = "failpoints", .type = OPT_FLAG, .hidden = true,
     .help = "names of the points where tests can stop a run"},
    {0},
};

static const CmdConflict help_conflicts[] = {
    {"all", "errors"}, {"all", "failpoints"}, {"errors", "failpoints"},
    {"all", "json"}, {"errors", "json"}, {"failpoints", "json"}, {0},
};

static const CmdExample help_examples[] = {
    {"aramid help deploy", "the same as `aramid deploy --help`"},
    {"aramid help --errors", "what the exit statuses mean"},
    {"aramid help --json", "commands, options, errors and settings for a program"},
    {0},
};

static const CmdSpec help = {
    .name = "help", .group = CMD_GROUP_INFORMATION, .class = CMD_INFORMATION,
    .uses = CMD_USES_JSON, .summary = "explain commands, options and errors",
    .description = "Without an argument it lists the commands.",
    .args = help_args, .options = help_options, .conflicts = help_conflicts,
    .examples = help_examples, .run = cmd_help,
};

static const CmdSpec version = {
    .name = "version", .group = CMD_GROUP_INFORMATION, .class = CMD_INFORMATION,
    .uses = CMD_USES_JSON, .summary = "show the version",
    .description = "With --verbose it also says how the program was built.", .run = cmd_version,
};

/* ---- Prisma's spellings --------------------------------------------------------------------- */

static const CmdSpec migrate_deploy = {
    .name = "migrate deploy", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM, .summary = "what deploy does, as Prisma spells it",
    .description =
        "Does what `aramid deploy` does, with the options and exit statuses of `prisma migrate "
        "deploy`: 0 when done, 1 for every failure.",
    .prisma_status = true, .run = cmd_deploy,
};

static const OptSpec migrate_dev_options[] = {
    {.name = "name", .letter = 'n', .type = OPT_TEXT, .value = "NAME", .help = "what it changes, in a few words"},
    DEV_OPTIONS,
    {0},
};

static const CmdSpec migrate_dev = {
    .name = "migrate dev", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM, .summary = "what dev does, as Prisma spells it",
    .description =
        "Does what `aramid dev` does, and with --create-only what `aramid create` does, with the exit statuses of "
        "`prisma migrate dev`: 0 when done, with --create-only also with an empty migration where nothing is to "
        "change, 1 for every failure.",
    .options = migrate_dev_options, .conflicts = dev_conflicts, .prisma_status = true, .run = cmd_dev,
};

static const CmdSpec migrate_status = {
    .name = "migrate status", .group = CMD_GROUP_PRISMA, .class = CMD_READS,
    .uses = USES_MIGRATIONS, .summary = "what status does, as Prisma spells it",
    .description =
        "Does what `aramid status` does, with the options and exit statuses of `prisma migrate "
        "status`: 0 when the database is up to date, 1 otherwise.",
    .prisma_status = true, .run = cmd_status,
};

static const OptSpec migrate_resolve_options[] = {
    {.name = "applied", .type = OPT_TEXT, .value = "NAME",
     .help = "record this migration as applied, without running it"},
    {.name = "rolled-back", .type = OPT_TEXT, .value = "NAME",
     .help = "record this failed migration as rolled back"},
    {0},
};

static const CmdSpec migrate_resolve = {
    .name = "migrate resolve", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM, .summary = "what resolve does, as Prisma spells it",
    .description =
        "Does what `aramid resolve` does, with the options and exit statuses of `prisma migrate "
        "resolve`: 0 when done, 1 for every failure.",
    .options = migrate_resolve_options, .one_of = {migrate_resolve_one_of},
    .prisma_status = true, .run = cmd_resolve,
};

static const CmdSpec migrate_diff = {
    .name = "migrate diff", .group = CMD_GROUP_PRISMA, .class = CMD_READS,
    .uses = CMD_USES_PROJECT, .summary = "what diff does, as Prisma spells it",
    .description =
        "Does what `aramid diff` does, with the options and exit statuses of `prisma migrate "
        "diff`: 1 for every failure, with --exit-code 2 when the two differ.",
    .options = diff_options, .one_of = {diff_from, diff_to}, .prisma_status = true, .run = cmd_diff,
};

static const CmdSpec db_execute = {
    .name = "db execute", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "what execute does, as Prisma spells it",
    .description = "Does what `aramid execute` does, with the options and exit statuses of `prisma db execute`: 0 when "
                   "done, 1 for every failure.",
    .options = execute_options, .conflicts = execute_conflicts, .exits = write_exits, .prisma_status = true,
    .run = cmd_execute,
};

static const CmdSpec db_seed = {
    .name = "db seed", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "what seed does, as Prisma spells it",
    .description = "Does what `aramid seed` does, with the options and exit statuses of `prisma db seed`: 0 when done, also "
                   "where there is nothing to seed with, 1 for every failure.",
    .args = seed_args, .options = seed_options, .prisma_status = true, .run = cmd_seed,
};

static const CmdSpec migrate_reset = {
    .name = "migrate reset", .group = CMD_GROUP_PRISMA, .class = CMD_DESTROYS_DATA,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "what reset does, as Prisma spells it",
    .description = "Does what `aramid reset` does, with the options and exit statuses of `prisma migrate reset`: 0 when "
                   "done, 1 for every failure. Prisma 7's own neither seeds nor generates: --skip-seed --skip-generate.",
    .options = reset_options, .prisma_status = true, .run = cmd_reset,
};

static const CmdSpec db_push = {
    .name = "db push", .group = CMD_GROUP_PRISMA, .class = CMD_CHANGES_DATABASE,
    .uses = USES_MIGRATIONS | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "what push does, as Prisma spells it",
    .description = "Does what `aramid push` does, with the options and exit statuses of `prisma db push`: 0 when done or "
                   "when there is nothing to do, 1 for every failure.",
    .options = push_options, .prisma_status = true, .run = cmd_push,
};

static const CmdSpec db_pull = {
    .name = "db pull", .group = CMD_GROUP_PRISMA, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_CONFIRM,
    .summary = "what pull does, as Prisma spells it",
    .description = "Does what `aramid pull` does, with the options and exit statuses of `prisma db "
                   "pull`: 0 when done, 1 for every failure. Nobody is asked.",
    .options = pull_options, .prisma_status = true, .run = cmd_pull,
};

/* ---- all of it ------------------------------------------------------------------------------ */

static const OptSpec docs_options[] = {
    {.name = "to", .type = OPT_PATH, .value = "DIR", .help = "folder that they are written to; default: docs"},
    {.name = "check", .type = OPT_FLAG, .help = "write nothing; exit with status 1 when a file is not as it should be"},
    {.name = "force", .type = OPT_FLAG, .help = "replace files of these names that are not of `aramid docs`"},
    {0},
};

static const CmdExample docs_examples[] = {
    {"aramid docs", "docs/MIGRATION_PIPELINE.md and docs/DEPLOYMENT_GUIDE.md"},
    {"aramid docs --check", "in a pipeline: are they as the settings say?"},
    {0},
};

static const CmdSpec docs = {
    .name = "docs", .group = CMD_GROUP_INFORMATION, .class = CMD_WRITES_FILES,
    .uses = CMD_USES_PROJECT,
    .summary = "write the project's own runbook",
    .description =
        "Writes how a change gets to production and what to do on a bad day, with the environments, gates, windows, health checks, "
        "contacts and commands that hold for this project, the date, and Aramid's version. A file that differs in "
        "nothing else keeps its date.",
    .options = docs_options, .examples = docs_examples, .run = cmd_docs,
};

static const ArgSpec task_args[] = {
    {.name = "NAME", .required = true, .help = "as aramid.yaml has it under tasks"},
    {0},
};

static const OptSpec task_options[] = {
    {.name = "again", .type = OPT_FLAG, .help = "also where it was done in this database before"},
    {0},
};

static const CmdExample task_examples[] = {
    {"aramid task init-config", "unless it was done in this database"},
    {"aramid task init-config --again", "in any case"},
    {0},
};

static const CmdSpec task = {
    .name = "task", .group = CMD_GROUP_MIGRATIONS, .class = CMD_CHANGES_DATABASE,
    .uses = CMD_USES_PROJECT | CMD_USES_DATABASE | CMD_USES_CONFIRM | CMD_USES_JSON,
    .summary = "run a named task of the project",
    .description =
        "Runs what `tasks` in aramid.yaml names: a command, a .sql file or an address. A deploy runs by itself, behind its "
        "migrations, what is due: `once` for each database, `changed` when its text is another one, `always`. A command gets "
        "DATABASE_URL, few other variables, and the programs of node_modules. What was done stands in aramid.runs.",
    .args = task_args, .options = task_options, .examples = task_examples, .run = cmd_task,
};

static const char *const checklist_phases[] = {"pre", "production", "post", NULL};

static const OptSpec checklist_options[] = {
    {.name = "phase", .type = OPT_CHOICE, .value = "WHICH", .choices = checklist_phases,
     .help = "pre: before it is merged; production: before that deploy; post: behind it. Default: by the environment"},
    {0},
};

static const CmdExample checklist_examples[] = {
    {"aramid checklist --env production", "what is there, and what is missing"},
    {"aramid checklist --phase post --env staging", "after a deploy"},
    {0},
};

static const CmdSpec checklist = {
    .name = "checklist", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "what a careful team looks at, ticked where it can be proven",
    .description =
        "Before: schema, plan, tests, way back, and what gate.requires asks for; for production also backup, health, "
        "who is told, windows. Behind: what `aramid verify` asks. What only a person can know is recorded with a name: "
        "`aramid evidence add \"tick:WORDS\"`. Exit status 8: something is missing.",
    .options = checklist_options, .examples = checklist_examples, .run = cmd_checklist,
};

static const CmdExample evidence_examples[] = {
    {"aramid evidence", "what is known, and whether it is about the migrations as they are"},
    {0},
};

static const CmdSpec evidence = {
    .name = "evidence", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = CMD_USES_PROJECT | CMD_USES_JSON,
    .summary = "show what was proven about the migrations",
    .description =
        "Lists the records of aramid.evidence.json: in which environments migrations are applied, whether tests have "
        "passed, whether the way back was tried, who has approved. `gate.requires` of an environment asks for them.",
    .examples = evidence_examples, .run = cmd_evidence,
};

static const ArgSpec evidence_args[] = {
    {.name = "KIND", .required = true,
     .help = "applied (in --env), tests, rollback, rehearsal, drill, approval, or tick:WORDS"},
    {0},
};

static const OptSpec evidence_options[] = {
    {.name = "file", .type = OPT_PATH, .value = "FILE", .help = "tests: their report, as JUnit's XML"},
    {.name = "ok", .type = OPT_FLAG, .help = "tests: they have passed, without a report"},
    {.name = "by", .type = OPT_TEXT, .value = "NAME", .help = "who says so; default: the pipeline's actor, git's user"},
    {.name = "note", .type = OPT_TEXT, .value = "TEXT", .help = "more words"},
    {0},
};

static const CmdExample evidence_add_examples[] = {
    {"aramid evidence add applied --env staging", "behind a deploy of staging"},
    {"aramid evidence add tests --file junit.xml", "behind its tests"},
    {"aramid evidence add approval --by ada", "somebody has said yes"},
    {0},
};

static const CmdSpec evidence_add = {
    .name = "evidence add", .group = CMD_GROUP_MIGRATIONS, .class = CMD_WRITES_FILES,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "record that something was proven",
    .description =
        "Adds a record about the migrations as they are now; a change of a file takes its worth. With ARAMID_EVIDENCE_KEY it is signed, "
        "and where that is set only signed records count. applied reads the history of the environment's database; "
        "tests reads a report; rollback what `aramid verify-rollback --all` has proven.",
    .args = evidence_args, .options = evidence_options, .examples = evidence_add_examples, .run = cmd_evidence_add,
};

static const CmdExample verify_examples[] = {
    {"aramid verify --env production", "is the deploy well? exit status 0 says yes"},
    {"aramid verify --env staging --json", "for a pipeline"},
    {0},
};

static const CmdSpec verify = {
    .name = "verify", .group = CMD_GROUP_MIGRATIONS, .class = CMD_READS,
    .uses = USES_MIGRATIONS | CMD_USES_JSON,
    .summary = "ask whether database and application are well",
    .description =
        "Looks whether the history holds every migration, whether the database is what they make, whether it takes a "
        "write (of a temporary table, rolled back), whether the queries of health.sql hold, whether the application "
        "answers at health.url, and runs hooks.smoke. Exit status 0: all is well; else that of `aramid status`, 18 for "
        "drift, 28 for health.",
    .examples = verify_examples, .run = cmd_verify,
};

static const CmdSpec *const commands[] = {
    &status,         &report,         &check,          &drift,          &plan,           &create, &dev, &expand_contract_spec, &state, &show, &describe, &restack, &squash, &lint, &stats_save, &review, &ci, &deploy,     &rollback,   &task, &verify, &checklist, &evidence, &evidence_add, &verify_rollback, &execute, &seed, &push, &reset, &workflow,   &resolve,  &sync, &fix, &clean, &adopt, &unlock,
    &identity,       &identity_show,  &identity_set,   &identity_forget, &backup,
    &backup_create,  &backup_list,     &backup_verify,  &backup_prune,   &restore,   &validate,
    &format,         &schema,         &diff,     &erd,      &pull,       &generate,   &testdb, &testdb_list, &testdb_drop, &testdb_sweep, &db_url,     &db_start, &db_stop,   &db_remove,
    &db_status,      &db_supervise,   &doctor, &init, &docs, &link_project,        &config_show,    &explain,    &help,       &version,  &migrate_dev, &migrate_deploy,
    &migrate_status, &migrate_resolve, &migrate_diff, &db_pull, &db_execute, &db_seed, &db_push, &migrate_reset, NULL,
};

static const CmdOtherWord other_words[] = {
    {.word = "apply", .name = "deploy"},        {.word = "up", .name = "deploy"},
    {.word = "migrate up", .name = "deploy"},   {.word = "baseline", .name = "resolve"},
    {.word = "fmt", .name = "format"},
    {.word = "info", .name = "status"},         {.word = "migrate list", .name = "status"},
    {.word = "list", .name = "status"},         {.word = "dry-run", .name = "plan"},
    {.word = "settings", .name = "config show"}, {.word = "start", .name = "db start"},
    {.word = "stop", .name = "db stop"},         {.word = "down", .name = "rollback"},
    {.word = "migrate down", .name = "rollback"}, {.word = "undo", .name = "rollback"},
    {.word = "repair", .name = "fix"},          {.word = "migration repair", .name = "fix"},
    {.word = "reconcile", .name = "sync"},      {.word = "cleanup", .name = "clean"},
    /* What this version lacks must not be answered with a command that does something else. */
    {.word = "migrate new", .name = "create"},
    {.word = "migrate create", .name = "create"}, {.word = "new", .name = "create"},
    {.word = "exec", .name = "execute"},        {.word = "sql", .name = "execute"},
    {.word = "run", .name = "execute"},
    {.word = "db reset", .name = "reset"},
    {.word = "studio", .instead = "npx prisma studio"},
    {0},
};

const CliTable *
cli_table(void)
{
    static const CliTable table = {globals, global_conflicts, commands, other_words};
    return &table;
}
