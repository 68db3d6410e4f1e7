/* Two catalogs -> the changes that lead from one to the other, in an order in which they work.
 *
 * The differ knows catalogs only. What PostgreSQL can alter is altered; what it cannot is dropped
 * and made again, together with everything that stands on it. Changes carry effects: what is lost,
 * what may fail on rows that are there, what rewrites a table.
 *
 *     Diff *d = diff_catalogs(a, &(DiffSide){.catalog = x}, &(DiffSide){.catalog = y}, NULL);
 *     Str sql = render_script(a, d, NULL);
 *
 * The order: each change has a place by its kind (the order of Prisma's engine, with the kinds that
 * it does not know in between), and whatever it needs is done before it. */
#pragma once

#include "base/finding.h"
#include "catalog/catalog.h"

typedef enum ChangeOp {
    CHANGE_CREATE,
    CHANGE_DROP,
    CHANGE_ALTER,
    CHANGE_RENAME,
    CHANGE_ATTACH,      /* a new partition, which has its indexes by now */
    CHANGE_INDEX_STATE, /* what of a relation names an index, which is there by now */
} ChangeOp;

typedef enum ColumnOp { COLUMN_ADD, COLUMN_DROP, COLUMN_ALTER, COLUMN_RECREATE } ColumnOp;

enum {
    COLUMN_NULLABLE = 1,
    COLUMN_DEFAULT = 2,
    COLUMN_TYPE = 4,
    COLUMN_SEQUENCE = 8, /* became or is no longer a serial column (compat only) */
    COLUMN_IDENTITY = 16,
    COLUMN_GENERATED = 32, /* is no longer generated */
    COLUMN_STORAGE = 64,   /* storage, compression, statistics, options: see `fields` */
    COLUMN_COMMENT = 128,
    COLUMN_GRANTS = 256,
    COLUMN_EXPRESSION = 512, /* of a virtual column */
    COLUMN_NOT_NULL = 1024,  /* the constraint behind NOT NULL (18): name, comment, state */
    COLUMN_VALIDATED = 2048, /* of a child, below one that is not */
};

/* How the values of a column get their new type. */
typedef enum Cast {
    CAST_NONE, /* same type */
    CAST_SAFE,
    CAST_RISKY, /* may fail or lose something */
    CAST_IMPOSSIBLE,
} Cast;

typedef enum CastUsing {
    USING_NOTHING, /* the server knows how */
    USING_TEXT,    /* "x"::text::type */
    USING_ARRAY,   /* ARRAY["x"] */
    USING_FIRST,   /* "x"[1] */
    USING_CAST,    /* "x"::type, by a cast that the script makes */
    USING_INTEGER, /* "x"::integer::type: between truth values and numbers */
} CastUsing;

typedef struct ColumnChange {
    ColumnOp op;
    const CatColumn *from, *to;
    unsigned fields;
    CatTexts names; /* of the fields behind COLUMN_STORAGE */
    Cast cast;
    CastUsing cast_using;
    bool is_default_in_the_way; /* the old default has to go before the type changes */
    bool is_let_go;             /* dropped before, by a change that is aside */
} ColumnChange;

typedef enum DiffHarm {
    DIFF_LOSS,     /* data goes away */
    DIFF_FAILS,    /* cannot work while the table has such rows */
    DIFF_HARMLESS, /* worth knowing */
} DiffHarm;

/* What a change does beside what it is for: the facts of a finding, which render/ words
 * (render_findings). */
typedef struct DiffEffect {
    FindingId id; /* of the area comparison */
    DiffHarm harm;
    CatRef at;                          /* the object or column */
    const CatType *from_type, *to_type; /* of a cast, and of FINDING_DIFF_TIME_ZONE */
    const CatDependent *dependent;      /* FINDING_DIFF_USED_OUTSIDE */
    CatTexts names; /* columns, enum values; FINDING_DIFF_LOOKS_RENAMED: what may be its new name */
    /* From a database with rows (diff_answer); both end at DIFF_ROWS_MAX. */
    bool is_answered;
    int64_t rows;  /* of the table */
    int64_t hits;  /* of them: lost, NULL, duplicate, ...: those that it is about */
    char zone[64]; /* FINDING_DIFF_TIME_ZONE: the server's TimeZone */
} DiffEffect;

enum { DIFF_ROWS_MAX = 100000 };

typedef VEC(DiffEffect) DiffEffects;

/* A column of an enum that is made anew. */
typedef struct EnumUse {
    const CatColumn *from, *to; /* `to` NULL: dropped later */
} EnumUse;

typedef struct Change {
    ChangeOp op;
    CatKind kind;
    const CatObject *from, *to; /* NULL: not there before, afterwards */
    CatTexts fields;            /* CHANGE_ALTER: names of fields that differ */
    /* tables and composite types */
    VEC(ColumnChange) columns;
    const CatConstraint *drop_key, *add_key, *rename_key_from, *rename_key_to;
    /* enums */
    CatTexts labels;               /* added */
    bool is_rebuilt;               /* values went away, or stand in another order */
    bool keeps_old_type;           /* rebuilt: what goes later still has the old type, whose drop is
                                      a change of its own */
    VEC(EnumUse) defaults;         /* columns with a default that is in the way */
    VEC(const CatColumn *) retype; /* columns of the new side */
    /* indexes */
    bool is_after_recreate; /* its column was dropped and made again, and the index went with it */
    bool is_attached;       /* to the index of the partitioned table; a new partition brings its own
                               when it is attached itself */
    const char *old_name;   /* CHANGE_RENAME: of an enum's label or a column */
    /* Composite types that rows hold: the old one under its new name, whose values `columns` says how to convert;
     * of its drop: the new one. */
    const CatObject *room;
    /* Made anew: what it was before, where owners and privileges are not compared but stay. */
    const CatObject *kept;
    /* Only for the time in between: what has to let go of something that is made again. */
    bool is_aside;
    bool goes_along; /* CHANGE_DROP: that of something else takes it along */
    DiffEffects effects;
    uint32_t rank[4]; /* where it belongs by its kind */
    bool is_placed;   /* by diff_order: it, or what it waits for */
    bool is_done;     /* by diff_order: it */
} Change;

/* One side of a comparison. */
typedef struct DiffSide {
    const Catalog *catalog;
    const CatRefs *any_default;    /* columns whose default is not known: see bridge.h; or NULL */
    const CatRefs *client_default; /* for effects; or NULL */
    const CatRefs *unused_schemas; /* compat: Prisma takes them for made; or NULL */
} DiffSide;

typedef struct DiffOptions {
    /* What Prisma's engine does, its mistakes included; implies prisma_kinds. */
    bool prisma_compat;
    int prisma;           /* generation, 6 or 7; 0 = 7 */
    bool from_is_written; /* `from` was made from schema.prisma, too, and no server printed it */
    /* `to` tells only about what Prisma's language knows: leave the rest as it is. */
    bool prisma_kinds;
    bool partial_indexes;  /* prisma_kinds: the schema can say them (feature partialIndexes) */
    const CatRules *rules; /* owners, privileges, comments, versions; NULL = catalog's defaults */
    const char *runner;    /* the role that will run the script, where it is known: what is made
                                 anew goes back to its owner, if that is another one; what is new
                                 is its own without a word */
    const CatRename *renames; /* of diff_wishes */
    size_t nrenames;
} DiffOptions;

typedef struct Diff {
    Arena *arena;
    DiffSide from, to;
    DiffOptions options;
    CatRenames renamed;    /* those that applied; from.catalog is under the new names */
    VEC(Change *) changes; /* in the order in which they are to be made */
} Diff;

/* Compare. Both catalogs must be finished, with expressions in one and the same form (catalog.h);
 * they are kept.
 *
 * options  NULL for defaults; its rules and renames are kept
 * returns  owned by `a`
 * cost     O(n log n) in the number of objects; what stands on changed objects is followed */
Diff *diff_catalogs(Arena *a, const DiffSide *from, const DiffSide *to, const DiffOptions *options);

/* Of a comparison of what a server printed with a schema as it is written: whether every change is one whatever
 * the words, so that nobody has to print the schema, too. None at all is certain. */
bool diff_is_certain(const Diff *d);

/* Whether a partition leaves its table: what people are told of, unlike other changes that are aside. */
bool diff_is_detach(const Change *c);

/* What a database that has `from` can be asked: one query for each effect that depends on rows. It
 * gives one row of two numbers for diff_answer (and the server's TimeZone where that counts). To be run with an empty search_path, read only; a
 * query may fail, when the expression of a new constraint names what is not there yet. */
typedef struct DiffQuestion {
    DiffEffect *effect;
    Str sql;
} DiffQuestion;

typedef VEC(DiffQuestion) DiffQuestions;

DiffQuestions diff_questions(Arena *a, const Diff *d);

/* Put an answer into its effect. What would have failed or lost something, and does not with these
 * rows, becomes a notice; what fails with them, a failure. */
void diff_answer(DiffEffect *effect, int64_t rows, int64_t hits);

typedef struct DiffWishes {
    /* Renames as people type them, OLD:NEW: User:Account, User.mail:email, and the same for enums and
     * their values; with a schema in front where names are there twice or a table moves
     * (old.posts:new.posts); in double quotes, doubled inside, where a name holds a dot or colon. Names
     * are those of the database; parts may be named under the old or new name of their table. */
    const char *const *texts;
    size_t ntexts;
    const CatFormer *former; /* of the schema; those that were applied already are passed over */
    size_t nformer;
    const CatRefs *unread; /* what has an annotation that cannot be read; or NULL */
    bool prisma_compat;    /* leave tables of implicit many-to-many relations as Prisma does */
    /* What a schema says of these tables; NULL: the side is none. Without foreign keys and without
     * that, names tell: _XToY where tables X and Y are. */
    const CatJoins *from_joins, *to_joins;
    CatRefs *unsure; /* gets those of `to` whose columns may mean the opposite, where names tell no
                        more; may be NULL */
} DiffWishes;

/* Which renames are to be done; together, so that names may be exchanged. The table of an implicit
 * many-to-many relation follows its renamed models, and where the alphabet of their names turns, its
 * columns A and B change places, as their meaning does.
 *
 * ret      for DiffOptions.renames
 * errors   ERR_USAGE: cannot be read, nothing of that name, several meanings, or it cannot be done:
 *          what is not renamed would be dropped, so none is passed over */
MUST_CHECK bool diff_wishes(Arena *a, const DiffWishes *in, const Catalog *from, const Catalog *to,
                            CatRenames *ret, Err *err);

/* What a type is made of in a comparison of types (casts.c); tests use it. */
Cast diff_cast(const CatType *from, const CatType *to);

/* The sequence of a serial column: one that belongs to it and that its default draws from, named,
 * typed and set as SERIAL does. NULL when it has none. */
const CatSequence *diff_serial(Arena *a, const Catalog *c, const CatColumn *column);

/* Whether a sequence of the new side is there already, beside another column or none: a column that comes takes it
 * over, where one of its own would get another name. */
bool diff_sequence_is_there(const Diff *d, const CatSequence *s);
