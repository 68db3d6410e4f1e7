/* Where a schema comes from: a file in Prisma's language, migrations, SQL, a database, nothing; and
 * how two of them become catalogs that can be compared.
 *
 * Two schemas in Prisma's language are compared as they are written, without a server. As soon as
 * one side is in a server's words, the others are made on a private server too and read back. */
#pragma once

#include "base/finding.h"
#include "bridge/bridge.h"
#include "diff/diff.h"
#include "flow/flow.h"
#include "replay/replay.h"

typedef enum EndpointKind {
    ENDPOINT_NONE, /* not named */
    ENDPOINT_EMPTY,
    ENDPOINT_SCHEMA,     /* path: a .prisma file, or a folder of them */
    ENDPOINT_MIGRATIONS, /* path: a folder */
    ENDPOINT_SQL, /* path: a file, or a folder of them, which run in the order of their names */
    ENDPOINT_DATABASE, /* url and origin, or the target of `config` */
} EndpointKind;

typedef struct Endpoint {
    EndpointKind kind;
    const char *path;
    const History *history;   /* ENDPOINT_MIGRATIONS: read already; or NULL */
    const char *const *files; /* ENDPOINT_SQL: these instead, in this order; or NULL */
    size_t nfiles;
    const char *url, *origin; /* origin: for messages, "flag --from-url" */
    const Config *config;     /* ENDPOINT_DATABASE without url */
} Endpoint;

/* A side of a comparison, read. */
typedef struct Side {
    Endpoint endpoint;
    const char *shown;        /* for people; no secrets */
    Catalog *catalog;         /* finished */
    Bridge schema;            /* of a schema: what it says beside the catalog, and leaves open */
    bool has_partial_indexes; /* of a schema: it can say them */
    Target target;            /* of ENDPOINT_DATABASE */
    Session session;          /* of a database, open until flow_sides_close */
    CatTexts left_out;        /* of a database: schemas of platforms and tools */
    CatRefs of_others;        /* of migrations: what only another history makes, left out */
    Replay replay;            /* where a private server made it; else without a catalog */
    int major;                /* of the server whose words the catalog is in; 0 = as written */
} Side;

typedef struct SidesInput {
    FlowInput base;
    Endpoint from, to;
    int prisma;        /* rules for schemas: 5, 6 or 7; 0 = what any of them accepts */
    bool keep_written; /* schemas stay as they are written, also beside a server's words */
} SidesInput;

/* Read both sides and bring them into one server's words where that is needed.
 *
 * diags   gets errors and warnings of schemas; with errors the result is false with ERR_SCHEMA
 * ret     [0] from, [1] to
 * errors  ERR_SCHEMA, those of history_open, url_parse, db_open, introspect, replay_scripts; ERR_IO
 * cost    two schemas: parsing. Else a replay (replay.h) for each side that is no database */
MUST_CHECK bool flow_sides(Arena *a, const SidesInput *in, FindingList *diags, Side ret[2],
                           Err *err);

/* What flow_sides asks a server about the other side of the project's schema.prisma: of its own schemas. false:
 * there is none, or it has errors. cost: it is parsed */
bool flow_schema_scope(Arena *a, const Config *c, IntrospectOptions *ret);

/* The scripts of an ENDPOINT_SQL, added to `scripts`. errors: ERR_IO */
MUST_CHECK bool flow_read_sql(Arena *a, const Endpoint *e, ReplayScripts *scripts, Err *err);

/* To be called when flow_sides gave true and no database is asked any more. */
void flow_sides_close(Side sides[2]);

/* Where and how a command replays: binaries, shadow URL and cache of the configuration; version,
 * search_path and extensions of the database that the result is compared with (NULL = none).
 * errors: ERR_URL, ERR_SHADOW, those of db_query. */
MUST_CHECK bool flow_replay_options(Arena *a, const FlowInput *in, const Session *compared,
                                    ReplayOptions *ret, Err *err);

/* The same for the migrations of a history: where no database says how they find things, their platform does. */
ReplayOptions flow_replay_as(const History *h, const ReplayOptions *o);

/* Replay the files of a history, each as its tool would send it.
 *
 * part    only those of this one of several (history_part), or HISTORY_ALL
 * errors  ERR_MIGRATION_GONE, those of migration_sent_text and replay_scripts */
enum { HISTORY_ALL = HISTORY_PARTS_MAX };
MUST_CHECK bool flow_replay_history(Arena *a, const History *h, size_t part, const ReplayOptions *o,
                                    Replay *ret, Err *err);

/* Versions print views and expressions differently: make the schema of a live database on the
 * server that ran the other side, and read that. Nothing to do where the majors are the same.
 *
 * o         of the other side's replay
 * db_major  of the database; becomes that of the server that printed it
 * major     of the other side
 * catalog   is replaced
 * errors    those of replay_scripts; ERR_REPLAY says which version is wanted */
MUST_CHECK bool flow_reprint(Arena *a, const ReplayOptions *o, int *db_major, int major,
                             Catalog **catalog, Err *err);

/* What a result that rests on a replay must tell: another version, stubs. */
void flow_find_replay(Arena *a, const Replay *r, FindingList *ret);

/* Beside schema.prisma, which tells of what Prisma's migrations make: take out of a catalog that all of
 * several histories make what only the others make, and the schema does not name. Prisma, which sees its
 * own folder only, leaves that alone too. Nothing is taken out where no history is Prisma's, or Prisma's
 * does not run without the others.
 *
 * made    of all files of `h`; `wanted` of the schema
 * ret     gets what was taken out, but for parts of what was
 * errors  those of replay_scripts, but for a replay that fails */
MUST_CHECK bool flow_leave_others_own(Arena *a, const History *h, const ReplayOptions *o,
                                      Catalog *made, const Catalog *wanted, CatRefs *ret, Err *err);

/* Add what a catalog names as not compared: sorted, each once. */
void flow_add_others(Arena *a, CatOthers *list, const Catalog *c);
