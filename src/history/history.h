/* Migration histories: the files of a project and the ledger in its database, in the layout of the
 * tool that owns them. Layouts stand in one table (layouts.c). How to add one: CONTRIBUTING.md.
 *
 * A layout knows its folder form, its ledger's SQL and its rules for what counts as applied; it
 * executes nothing. Statements are built with every name qualified and every value a literal, so
 * that a script's search_path or string settings cannot change what they mean. */
#pragma once

#include "base/filestate.h"
#include "base/finding.h"
#include "base/vec.h"
#include "db/db.h"

typedef enum KnownKind {
    KNOWN_HISTORY, /* what the tool has applied: it migrates this database */
    KNOWN_BESIDE,  /* its locks and notes, which say nothing without the history */
    KNOWN_OWN,     /* Aramid's */
} KnownKind;

/* Names are shared (`migrations`, `schema_migrations`): a table is a tool's when it has its columns,
 * too. Sources: each tool's own code, and runs of it. */
typedef struct KnownLedger {
    KnownKind kind;
    const char *tool;
    const char *schema; /* where it lies, all of which is then the tool's; NULL = anywhere */
    const char *table;
    const char *columns; /* all of them must be there, comma-separated */
    bool has_only_these; /* nor others: people give tables this name, too */
    bool may_move;       /* the tool can be told another schema */
    bool is_prismas;     /* Prisma's own commands see it nowhere, schema.prisma included */
    const char *failed;  /* condition for rows of migrations that did not end well; NULL = the tool
                            records none */
    const char *fix;     /* of those, for people */
} KnownLedger;

/* A part of a migration's text that is not sent as it is (HistoryLayout.add_piece). */
typedef struct MigrationPiece {
    size_t off, end;
    const char *loses; /* its name, where whoever planned it says that data goes with it; or NULL */
    const void *own;   /* the layout's */
} MigrationPiece;

typedef VEC(MigrationPiece) MigrationPieceVec;

/* A migration that another one stands for since `aramid squash`. */
typedef struct MigrationReplaced {
    const char *name, *checksum; /* as its row has them */
    const char *key;             /* HistoryLayout.version of its name; or NULL */
} MigrationReplaced;

typedef struct Migration {
    const char *name;   /* as the ledger records it */
    const char *path;   /* of its file, as shown to people */
    bool has_file;      /* Prisma: the folder may lack migration.sql */
    size_t bytes;       /* of the file */
    Str text;           /* what of them runs, NUL-terminated behind .n; p == NULL: not kept
                           (migration_text) */
    const char *source; /* the file's real path, */
    const char *sha256; /* and what it was when it was read; "" where there is no file, or too long
                           a one */
    const char *checksum; /* as the ledger records it; "" as above */
    const char *key;      /* what else the ledger knows it by: the layout's own, or NULL */
    const char *unfit; /* why only its own tool can run it ("it is a program"); NULL: it is SQL */
    const char *unfit_fix; /* the words for that; NULL: there are none */
    size_t part;           /* whose it is, of several histories (history_part) */
    int64_t when_us; /* when it was made; 0: as the 14 digits tell that its name begins with */
    bool
        is_of_change; /* a directive says that it begins or ends a change in two steps (flow/expand.h) */
    const char *after; /* names of migrations that come before it, whosever they are: its directive,
                             with commas; or NULL */
    VEC(MigrationReplaced) replaces; /* what it stands for, in order; else none */
    /* Makes of the file's bytes what of them runs: in place, so that offsets stay, or less of them.
     * NULL: all. errors: ERR_MIGRATION_FILE with the place */
    bool (*cut)(const struct Migration *m, char *text, size_t *n, Err *err);
    MigrationPieceVec pieces; /* of a text that is kept: all of it, in order; or none */
    const void *own;          /* the layout's */
} Migration;

typedef VEC(Migration) MigrationVec;

/* The time of what happened at some time that the ledger does not tell. */
enum { HISTORY_SOMETIME = 1 };

/* A row of the ledger: read, or to be written. Times are microseconds since 1970 UTC, 0 = NULL. */
typedef struct LedgerRow {
    const char *id, *checksum, *name, *logs;
    const Migration *migration; /* when it is to be written */
    const char *key;            /* read: what a Migration.key of it would be; NULL: `id` is */
    const char *lacks; /* read: what it is without, and what the tool does then; NULL = nothing */
    size_t part;       /* whose it is (history_part) */
    int64_t started_us, finished_us, rolled_back_us;
    int steps;
    bool is_undone;   /* to be taken out: the migration is rolled back */
    bool is_journals; /* of that: there is none, as its ledger cannot hold what was only begun */
} LedgerRow;

typedef VEC(LedgerRow) LedgerRowVec;

typedef enum EntryState {
    ENTRY_PENDING,
    ENTRY_APPLIED,
    ENTRY_FAILED,    /* begun and not ended by the layout's own tool */
    ENTRY_RESUMABLE, /* begun by Aramid; its journal tells where to go on (set by the caller) */
} EntryState;

/* What is known of one migration name. */
typedef struct Entry {
    const char *name;
    const Migration *file; /* NULL = in the ledger only */
    const LedgerRow *row;  /* the row that decides, NULL = none */
    EntryState state;
    const char *undo; /* resumable, by this script: a rollback of it was interrupted; else NULL */
    size_t part;      /* whose it is (history_part) */
    bool moves;  /* applied as the migrations that it replaces, whose rows are to become its own */
    int partly;  /* so many of these are applied, and not all: it can neither be run nor recorded */
    bool edited; /* applied, and the file's checksum differs */
    bool out_of_order; /* pending, but sorted before an applied one, of whichever history */
    bool
        repeats; /* a script (HistoryLayout.repeats): pending with a row where it was changed since, applied
                     without a file where it was removed */
} Entry;

/* Where the ledger is. */
typedef struct LedgerName {
    const char *schema; /* NULL: where the URL or the role's search_path leads */
    const char *table;
    bool has_beside; /* HistoryLayout.beside is there, too */
} LedgerName;

typedef struct HistoryFolder {
    const char *dir, *shown; /* its real path, and what people see */
} HistoryFolder;
typedef VEC(HistoryFolder) HistoryFolderVec;

/* What a project says about its folder. */
typedef struct HistoryOptions {
    const char *tool; /* name of the layout, where several would fit; NULL: found out */
    /* dbmate: folders beside the first, whose files are migrations, too; its table, when it was given
     * another one. */
    HistoryFolderVec more;
    const char *dbmate_table;
    bool is_prismas; /* a schema.prisma goes with it: .sql files without a tool are nobody's */
    bool subfolders; /* plain SQL: files below are migrations, too */
    bool
        takes_scripts; /* .sql files of the folder that are no migrations are scripts (history_repeatables) */
    FileStates
        *states; /* files whose hashes are remembered, and that are read only where they are run; or
                           NULL */
} HistoryOptions;

/* One history, or several of one database as one: then `parts` are those, `files`, `rows` and
 * `entries` those of all, in one order, and the rest below is the first one's. */
typedef struct History {
    VEC(struct History *) parts;
    const struct HistoryLayout *layout;
    HistoryOptions options;
    LedgerName ledger;         /* as the layout has it, or as the project tells its tool */
    const char *dir;           /* shown path of the migrations folder; of several with commas */
    const char *source;        /* its real path */
    MigrationVec files;        /* in order of application */
    VEC(const char *) scripts; /* files below the folder that run again whenever they change */
    MigrationVec downs;        /* plain SQL: files with the way back, by their keys */
    size_t kept_bytes;         /* of their texts */
    FindingList findings;      /* odd things about the folder; judged by flow_history */
    LedgerRowVec rows;         /* in order of started_at */
    bool is_outdated;          /* the ledger has the form of an older version of its tool */
    const char *beside; /* a tool of another folder of the project, which goes into no run with this
                             one; or NULL */
    bool has_ledger;    /* there is one; known when it was looked for */
    VEC(Entry) entries; /* all names: files in order, then those in the ledger only */
    int applied, pending, failed, resumable, edited, missing, out_of_order;
    int64_t last_applied_us;      /* 0 = never; HISTORY_SOMETIME */
    int64_t last_started_us;      /* newest started_at of any row; HISTORY_SOMETIME */
    VEC(const char *) lock_names; /* the tool's advisory locks, by hashtext; beside lock_key */
    const void *own;              /* the layout's */
} History;

#define HISTORY_ONCE "aramid_once"

/* A new migration: paths below the folder, and what the ledger will call it. */
typedef struct HistoryNew {
    const char *file, *name;
    const char *down; /* the way back; NULL = there is no place for it */
} HistoryNew;

typedef struct HistoryLayout {
    const char *name; /* "prisma" */
    KnownLedger ledger;

    /* The advisory lock under which the tool itself migrates: held together with ours. 0 = the tool
     * takes none. lock_off is its variable that turns the lock off; NULL = there is none. */
    int64_t lock_key;
    const char *lock_off;

    /* The name of a second table, in the schema of the first; NULL = there is one only. */
    const char *beside;

    /* What makes a migration, where only the tool itself can; or NULL. */
    const char *new_command;

    /* The tool runs all that is pending in one transaction: so does a deploy that is told nothing
     * else. */
    bool is_whole;

    /* Its files are no versions but scripts, each applied anew when its checksum is another one than the row's; the
     * ledger is a table of Aramid's own, which run/ makes. */
    bool repeats;

    /* Whether a folder holds migrations of this layout. */
    bool (*recognise)(Arena *a, const char *dir);
    bool dumps_schema; /* its tool writes a schema.sql after it has migrated */
    const char *late; /* what is said of a pending one older than an applied one; NULL: the usual */
    bool yields;      /* to any other layout that recognises it, too */
    bool is_beside;   /* no history of the database: scripts that are run beside one (scripts.h) */

    /* Read the folder. `dir` is the real path, `shown` what people see. Where the project gives its
     * ledger other names, ret->ledger is set to them. */
    bool (*list)(Arena *a, const char *dir, const char *shown, History *ret, Err *err);

    /* Of the bytes of a migration's file those that lead back; NULL: none of them do. */
    bool (*cut_up)(const Migration *m, Str text, Str *ret, int *ret_line, Err *err);

    /* Add findings about what else lies in the folder. NULL: nothing that list did not tell. */
    void (*look)(Arena *a, const char *dir, History *h);

    /* What a new migration is called. NULL: the tool makes them itself. */
    HistoryNew (*new_one)(Arena *a, const History *h, const char *stamp, const char *slug);
    /* What one in the place of all up to `last` is called, .file beside that one's file or folder; .name NULL: it
     * cannot be. NULL: they do not become one. */
    HistoryNew (*squashed)(Arena *a, const Migration *last);
    /* The part of a name that the ledger knows a migration by (Migration.key), which `squashed` keeps.
     * NULL: all of it. */
    const char *(*version)(Arena *a, const char *name);
    /* The text of a file that holds the way back, too; NULL: new_one says where that is. */
    void (*add_both)(Buf *b, Str head, Str up, Str down);
    /* A file that stands beside the migrations, made with the first one, and its text; NULL = none. */
    const char *lock_file, *lock_file_text;

    /* Whether a recorded checksum belongs to this file (line ends, old bugs). */
    bool (*checksum_matches)(Arena *a, const char *recorded, const Migration *m);

    /* One statement, with its semicolon, that runs a piece of a migration and checks what is to hold
     * before and behind it. NULL: there are no pieces. */
    void (*add_piece)(Buf *b, const MigrationPiece *piece);

    /* A statement without a final semicolon, behind all of a transaction: it raises when the database
     * is not what the migration of `row`, the last one, promises. Nothing where it promises nothing.
     * NULL: none does. */
    void (*add_promise)(Buf *b, const LedgerRow *row);

    /* Statements without a final semicolon, on the ledger `at`: its schema is known by then. A
     * schema of its own is made before add_create is asked. */
    void (*add_create)(Buf *b, const LedgerName *at);
    void (*add_select)(Buf *b, const LedgerName *at);
    /* Fill h->rows; where the ledger decides which migrations there are and in which order, h->files
     * anew, in another array. Each row gets the name of its migration, found in h->files by whatever the ledger
     * knows it by; of one that is not there, words that tell a person which it was. */
    bool (*read_rows)(Arena *a, const DbRows *rows, History *h, Err *err);
    /* Statements that bring the ledger to the form in which rows are written, when read_rows set
     * is_outdated; NULL: there is one form only. What the tool itself would do is done. */
    void (*add_upgrade)(Buf *b, const LedgerName *at, const History *h);
    /* A finished migration in one row; the server's clock gives the end. This and add_begun divide
     * by zero (22012) when the migration is applied already. */
    void (*add_applied)(Buf *b, const LedgerName *at, const LedgerRow *row);
    void (*add_resolved)(Buf *b, const LedgerName *at,
                         const LedgerRow *row); /* resolve --applied */
    /* " WHERE ...": the rows that tell of a migration, applied or begun. */
    void (*add_where)(Buf *b, const LedgerRow *row);
    /* A condition: such a row is as it was written, behind what add_where tells. NULL: that is all. */
    void (*add_written)(Buf *b, const LedgerRow *row);
    /* history_add_is_applied and history_add_is_kept, where the rows of add_where do not answer that. */
    void (*add_is_applied)(Buf *b, const LedgerName *at, const LedgerRow *row);
    void (*add_is_kept)(Buf *b, const LedgerName *at, const LedgerRow *row, bool finished);

    /* A statement that makes the unique index HISTORY_ONCE on the rows that the pending migrations will
     * have, for the time of a run: where the tool takes no lock and its table has no key. NULL: it has. */
    void (*add_once)(Buf *b, const LedgerName *at, const History *h);
    /* Statements on the row `id` alone, for repairs: let it tell of row->migration, and delete it. Each may
     * be NULL: there is nothing in such a row that could be wrong, or no second one. */
    void (*add_corrected)(Buf *b, const LedgerName *at, const char *id, const LedgerRow *row);
    void (*add_removed)(Buf *b, const LedgerName *at, const char *id);

    /* The rest belongs to ledgers that can hold a row of a migration that did not end. Where
     * add_begun is NULL the ledger cannot, all of these are NULL, and the journal alone keeps what
     * was begun. */
    /* A migration of several steps: begun, then finished (with the file's checksum as it is now). */
    void (*add_begun)(Buf *b, const LedgerName *at, const LedgerRow *row);
    void (*add_finished)(Buf *b, const LedgerName *at, const char *id, const char *checksum);
    void (*add_logs)(Buf *b, const LedgerName *at, const char *id, Str logs);
    void (*add_forgotten)(Buf *b, const LedgerName *at, const char *id); /* delete a begun row */
    void (*add_rolled_back)(Buf *b, const LedgerName *at, const char *name); /* all failed rows */
    /* An applied migration is being rolled back in several steps: to its tool it looks like one that
     * did not end. */
    void (*add_reopened)(Buf *b, const LedgerName *at, const char *id);
} HistoryLayout;

extern const HistoryLayout history_prisma, history_drizzle, history_drizzle_1, history_supabase,
    history_dbmate, history_plain, history_node_pg_migrate, history_graphile_migrate,
    history_prisma8;

bool history_is_drizzle(const HistoryLayout *l); /* of either generation */
/* Whether a ledger tells that a migration was edited after it was applied. */
bool history_knows_edits(const HistoryLayout *l);

/* The layouts; ends with NULL. The first is that of a project without migrations. */
extern const HistoryLayout *const history_layouts[];

/* A history without files, for who only needs to know where a ledger may be. */
History history_none(void);

/* Recognise the layout of a folder and read it.
 *
 * options  NULL: the project says nothing
 * errors: ERR_NO_MIGRATIONS (missing, or a layout of another tool, which is named, or of two),
 * ERR_PROVIDER, ERR_MIGRATION_FILE (bad name), ERR_IO.
 * cost: every file is read once and hashed; at most one long one is in memory at a time. */
MUST_CHECK bool history_open(Arena *a, const char *dir, const char *shown,
                             const HistoryOptions *options, History *ret, Err *err);

/* The same for a folder that is not there yet: the layout that `tool` names, Supabase's in a folder supabase/,
 * Prisma's where the project has a schema.prisma.
 * errors: ERR_CONFIG (tool), ERR_NO_MIGRATIONS: none of these */
MUST_CHECK bool history_begin(Arena *a, const char *dir, const char *shown, const char *tool,
                              const char *schema_path, History *ret, Err *err);

/* Several histories of one database as one. Each keeps the order of its tool; between them it is that of
 * their times (Migration.when_us), and of the directive "after". What is not told by these the order
 * of `parts` decides, and a finding says so.
 *
 * parts   one at least; they belong to *ret
 * errors  ERR_CONFIG (one folder or one ledger twice), ERR_MIGRATION_FILE (one name twice; a circle) */
enum { HISTORY_PARTS_MAX = 16 };
MUST_CHECK bool history_join(Arena *a, History *const *parts, size_t n, History *ret, Err *err);

/* A file that may be a repeatable script: its real path, and below the project, which is its name. */
typedef struct HistoryScript {
    const char *source, *name;
} HistoryScript;
typedef VEC(HistoryScript) HistoryScripts;

/* Repeatable scripts as a history: those of the files that can be run again and again, in the order of what they
 * make and mention (what that leaves open by name), each behind those that its directive "after" names. What is
 * passed over is told by findings.
 *
 * errors  ERR_MIGRATION_FILE (one that cannot be split; a circle of directives), ERR_IO */
MUST_CHECK bool history_repeatables(Arena *a, const HistoryScripts *files, History *ret, Err *err);

/* A query: names and texts of all scripts as they were applied last; and a statement, with its semicolon, that
 * takes out the row of one. */
void history_add_script_texts(Buf *b, const LedgerName *at);
void history_add_script_forgotten(Buf *b, const LedgerName *at, const char *name);

/* The histories of one: itself, where it is the only one. With repeatable scripts these are the last. */
size_t history_parts(const History *h);
/* Those that are no scripts. */
size_t history_versioned(const History *h);
History *history_part(History *h, size_t i);
const History *history_part_of(const History *h, size_t i);

/* The same files, nothing read of a ledger yet: for a second look beside the first one. */
History history_unread(Arena *a, const History *h);

/* For layouts: read a file of a migration into it: has_file, bytes, sha256, text. The first few megabytes of a
 * folder's files are kept, and none that is long; one longer than PostgreSQL takes (MIGRATION_MAX)
 * is not read at all. *ret_text: what of it runs, as long as `scratch` lives, or p == NULL.
 * errors: ERR_IO, those of m->cut */
enum { MIGRATION_MAX = 0x3fffffff - 1024 * 1024 }; /* a message has 1 GB, with what stands around */
MUST_CHECK bool history_read_known(Arena *a, Arena *scratch, History *h, Migration *m, Err *err);
MUST_CHECK bool history_read_file(Arena *a, Arena *scratch, History *h, Migration *m, Str *ret_text,
                                  Err *err);

/* The text of a migration: as it was kept, or read again; and the same behind what is in a Buf.
 * errors: ERR_MIGRATION_FILE (longer than PostgreSQL takes, changed since it was first read, or unfit), ERR_IO */
MUST_CHECK bool migration_text(Arena *a, const Migration *m, Str *ret, Err *err);
MUST_CHECK bool migration_add_text(Buf *b, const Migration *m, Err *err);

/* Whether a recorded SHA-256 is that of the file with other line ends, another end, with or without a byte
 * order mark: what editors and git change. */
bool migration_differs_by_line_ends(const Migration *m, const char *recorded);

/* The same as it is sent: with what checks its pieces. For replays. */
MUST_CHECK bool migration_sent_text(Arena *a, const HistoryLayout *l, const Migration *m, Str *ret,
                                    Err *err);

/* ERR_MIGRATION_GONE: the migration has no file. false. */
bool migration_gone(const Migration *m, Err *err);

/* Fill entries and counts from files and rows. Call again after rows changed. */
void history_compare(Arena *a, History *h);

/* Read what is to be run and was not read, as its hash was remembered (HistoryOptions.states). What cannot be
 * read is told when it is planned. */
void history_read_pending(Arena *a, History *h);

/* Queries of one row on any layout's ledger: whether the migration of `row` is recorded as applied; and
 * whether exactly one row tells of it and is as it was written, be it finished or only begun (triggers,
 * rules and the like swallow, double and change rows). */
void history_add_is_applied(Buf *b, const HistoryLayout *l, const LedgerName *at,
                            const LedgerRow *row);
void history_add_is_kept(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row,
                         bool finished);

/* Statements on any layout's ledger: delete the rows of a migration that is rolled back, dividing by zero
 * (22012) where there is none; and a query of one row, true when there is none. */
void history_add_undone(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row);
void history_add_is_gone(Buf *b, const HistoryLayout *l, const LedgerName *at,
                         const LedgerRow *row);

/* The way back that a project has for a migration. */
typedef struct HistoryDown {
    const char *path; /* of its file, as shown to people; NULL: there is none */
    int line;         /* its first one in that file, from 1 */
    Str text;
} HistoryDown;

/* Look for it: down.sql and rollback_<name>.sql beside the migration, rollback_<name>.sql in its folder,
 * <name>.down.sql, dbmate's block, the other file of a pair. A file or block without statements is none.
 * errors: ERR_MIGRATION_FILE (two of them; a first line that names another migration), ERR_IO */
MUST_CHECK bool history_down(Arena *a, const History *h, const Migration *m, HistoryDown *ret,
                             Err *err);

/* The real paths of files beside a migration that hold nothing but its way back. */
typedef VEC(const char *) HistoryPaths;
HistoryPaths history_down_files(Arena *a, const History *h, const Migration *m);

const Entry *history_find(const History *h, const char *name);

/* The time that a name begins with: microseconds since 1970 UTC, 0 = none; and a time as names have it. */
int64_t history_stamp_us(const char *name);
char *history_stamp(Arena *a, int64_t us);

/* The time for a new migration: now, or a second behind the last one where that comes later. */
int64_t history_next_us(const History *h, int64_t now_us);

/* Order of Prisma's command line: JavaScript's localeCompare, for ASCII names. */
int history_name_cmp(const char *a, const char *b);
