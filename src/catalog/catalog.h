/* The catalog: one model of a PostgreSQL schema, wherever it came from.
 *
 * Open structs in an arena, lists of pointers in canonical order. A model made from schema.prisma
 * and one read from a server are built of the same values, so that comparing is field by field:
 *
 * - A zeroed field means PostgreSQL's default (method btree, NO ACTION, valid, heap, ...). Absent
 *   text is NULL, never "". What is unusual has a flag that is true.
 * - Names are raw: not quoted, not folded. Schema NULL in a CatName or CatType is pg_catalog, or
 * not said (an extension's type from schema.prisma): such a name equals the same name in any
 * schema.
 * - Expressions are text as a server with an empty search_path prints it, other schemas' names in
 *   them qualified. Who writes them differently lets a server normalise both sides first.
 * - `key=value` options, roles and privileges are sorted. Keys, columns, labels keep their order.
 *
 *     Catalog *c = catalog_new(a);
 *     CatRelation *t = catalog_add(c, CAT_TABLE, "public", "User");
 *     CatColumn *id = catalog_add_to(c, t, CAT_COLUMN, "id");
 *     id->type = catalog_type(a, STR("VARCHAR(191)"));
 *     catalog_finish(c);
 *     cat_each(CatRelation, r, &c->tables) cat_each(CatColumn, k, &r->columns) ...
 */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "catalog/values.h"

/* What every object begins with; a pointer to any of them is a pointer to a CatObject. */
#define CAT_HEAD                                                                                   \
    CatRef id;                                                                                     \
    const char *owner; /* NULL: not said, or of a kind without an owner of its own */              \
    const char *comment;                                                                           \
    CatGrants grants;                                                                              \
    CatRefs needs;   /* what its expressions use; what other fields name is not repeated */        \
    unsigned ordinal /* order in which the objects were added, from 0; never compared */

typedef struct __attribute__((may_alias)) CatObject {
    CAT_HEAD;
} CatObject;

typedef VEC(CatObject *) CatObjects;

typedef struct CatSchema {
    CAT_HEAD;
    const char *usual; /* public: what everybody may do there unless the privileges say otherwise */
} CatSchema;

typedef struct CatExtension {
    CAT_HEAD; /* its members are not in the catalog */
    const char *in_schema, *version;
} CatExtension;

typedef struct CatEnum {
    CAT_HEAD;
    CatTexts labels;
} CatEnum;

typedef enum CatIdentity { CAT_NO_IDENTITY, CAT_ALWAYS, CAT_BY_DEFAULT } CatIdentity;
typedef enum CatGenerated { CAT_NOT_GENERATED, CAT_STORED, CAT_VIRTUAL } CatGenerated;

typedef struct CatColumn {
    CAT_HEAD;
    CatType type;
    const char *default_expr; /* or the expression of a generated column */
    CatName collation;        /* where not the type's */
    const char *statistics;   /* target, where set: "500" */
    CatTexts options;         /* n_distinct=5; pg_attver never */
    CatIdentity identity;     /* its sequence is in the catalog, with is_identity */
    CatGenerated generated;
    char storage;     /* p, e, m, x where not the type's */
    char compression; /* p, l where set */
    bool is_not_null;
    bool is_not_null_unchecked; /* NOT NULL NOT VALID (18) */
    /* What else there is of NOT NULL since 18; taken along, never compared. */
    bool is_not_null_no_inherit;
    bool is_not_null_inherited; /* only because a parent has it */
    bool is_not_null_own;       /* also where a parent has it, too */
    const char *not_null_name;  /* where not the usual one */
    const char *not_null_comment;
    bool is_inherited; /* exists only because a parent has it */
} CatColumn;

typedef enum CatConstraintType {
    CAT_CHECK,
    CAT_PRIMARY_KEY,
    CAT_UNIQUE,
    CAT_EXCLUDE,
    CAT_FOREIGN_KEY
} CatConstraintType;

typedef enum CatAction {
    CAT_NO_ACTION,
    CAT_RESTRICT,
    CAT_CASCADE,
    CAT_SET_NULL,
    CAT_SET_DEFAULT
} CatAction;

typedef struct CatConstraint {
    CAT_HEAD;
    CatConstraintType type;
    CatTexts columns; /* primary key, unique, foreign key */
    /* foreign key */
    CatName ref_table;
    CatTexts ref_columns;
    CatAction on_update, on_delete;
    CatTexts set_columns; /* ON DELETE SET NULL (...) */
    bool is_match_full;
    /* primary key, unique, exclusion: their index */
    CatTexts include;
    CatKeys keys;       /* exclusion */
    const char *method; /* exclusion: "gist" */
    CatTexts options;   /* fillfactor=70 */
    const char *tablespace;
    const char *index_comment; /* the index has one of its own */
    bool is_nulls_not_distinct;
    bool is_without_overlaps; /* 18: the last column WITHOUT OVERLAPS, or PERIOD */
    const char *expr;         /* check: the expression; exclusion: the predicate */
    bool is_no_inherit;       /* check */
    bool is_deferrable, is_deferred;
    bool is_not_valid;
    bool is_not_enforced; /* 18 */
    bool is_inherited;    /* exists only because the parent table has it */
} CatConstraint;

typedef VEC(CatColumn *) CatColumns;
typedef VEC(CatConstraint *) CatConstraints;

typedef struct CatDomain {
    CAT_HEAD;
    CatType type;
    const char *default_expr;
    CatName collation;
    bool is_not_null;
    const char *not_null_name, *not_null_comment; /* as a column's; since 17 */
    CatConstraints constraints;                   /* checks */
} CatDomain;

typedef struct CatComposite {
    CAT_HEAD;
    CatColumns columns; /* name, type, collation, comment */
} CatComposite;

typedef struct CatSequence {
    CAT_HEAD;
    CatType type; /* see catalog_sequence_init */
    int64_t start, increment, min, max, cache;
    bool is_cycle, is_unlogged;
    bool is_identity;    /* belongs to the identity column that owns it */
    CatName owner_table; /* OWNED BY */
    const char *owner_column;
} CatSequence;

typedef struct CatFunction {
    CAT_HEAD;
    bool is_procedure;
    const char *arguments;  /* with names, modes and defaults */
    const char *returns;    /* "integer", "TABLE(...)"; NULL for procedures */
    const char *definition; /* CREATE OR REPLACE ..., without a semicolon */
} CatFunction;

typedef struct CatIndex {
    CAT_HEAD;
    const char *table; /* in the same schema */
    bool is_unique, is_nulls_not_distinct;
    const char *method; /* NULL = btree */
    CatKeys keys;
    CatTexts include;
    const char *predicate;
    CatTexts options;
    CatTexts
        statistics; /* "1=500": targets of columns by their number, where they are not the usual one */
    const char *tablespace;
    CatName parent;  /* index of the partitioned table that it is attached to */
    bool is_only;    /* on a partitioned table: not on all partitions, so not valid */
    bool is_invalid; /* left by CREATE INDEX CONCURRENTLY */
} CatIndex;

typedef struct CatTrigger {
    CAT_HEAD;
    CatName function;
    const char *definition; /* CREATE TRIGGER ... */
    char enabled;           /* D disabled, R replica, A always; 0 = usual */
    bool
        is_inherited; /* a partition's, of its table's: here where its state is another one; no definition */
} CatTrigger;

typedef struct CatRule {
    CAT_HEAD;
    const char *definition; /* CREATE RULE ...; never a view's _RETURN */
    char enabled;
} CatRule;

typedef struct CatPolicy {
    CAT_HEAD;
    char command;   /* r, a, w, d; 0 = all */
    CatTexts roles; /* none = PUBLIC */
    const char *using_expr, *check_expr;
    bool is_restrictive;
} CatPolicy;

/* CAT_TABLE, CAT_VIEW or CAT_MATVIEW, as id.kind says. */
typedef struct CatRelation {
    CAT_HEAD;
    CatColumns columns; /* of views: name, type, default, comment, grants */
    CatConstraints constraints;
    VEC(CatIndex *) indexes;
    VEC(CatTrigger *) triggers;
    VEC(CatRule *) rules;
    VEC(CatPolicy *) policies;
    const char *query;         /* views: SELECT ... without a semicolon */
    const char *partition_key; /* partitioned: "RANGE (created_at)" */
    CatName partition_of;
    const char *partition_bound; /* "FOR VALUES FROM (...) TO (...)", "DEFAULT" */
    CatNames inherits;
    CatName of_type; /* typed table */
    CatTexts options, toast_options;
    const char *tablespace;
    const char *access_method; /* where not heap */
    const char *replica_index, *cluster_index;
    char replica_identity; /* f full, n nothing, i replica_index; 0 = default */
    bool is_unlogged;
    bool is_rls, is_rls_forced;
} CatRelation;

/* Any object of a rare kind (DEFINED in kinds.def): statements that make it, as the query that reads
 * it writes them. */
typedef struct CatDefined {
    CAT_HEAD;
    const char *definition; /* CREATE ..., ALTER ... ADD ...; without a semicolon */
    const char *address;    /* as in DROP <SQL> <address>: "app.first(anyelement)" */
    CatTexts removal;       /* where that is not how it goes: the statements */
    const char *setting;    /* ALTER <SQL> <address> <setting>: "SET (publish = 'insert')" */
    CatTexts options;       /* in OPTIONS (...): "host 'db.example.com'" */
    CatTexts secrets;       /* keys of those that are not read */
    CatTexts more;          /* statements behind the definition */
    CatName multirange;     /* of a range type, which stands for both */
    const char *multirange_comment;
    char enabled;    /* as of a trigger */
    bool goes_along; /* no DROP of its own: what is made of it takes it along */
} CatDefined;

/* Something that is there and is not compared: "subscription" NULL "from_head_office". */
typedef struct CatOther {
    const char *what, *schema, *name;
} CatOther;
typedef VEC(CatOther) CatOthers;

/* What something that was not read does with what it stands on: what of that PostgreSQL then refuses to
 * change. */
typedef enum CatHold {
    CAT_HOLDS,       /* nothing but to drop it: a default, a check, a domain */
    CAT_HOLDS_KEY,   /* and to give the column a type of another family: a foreign key */
    CAT_HOLDS_CODE,  /* and to give the column another type: a function, a policy */
    CAT_HOLDS_QUERY, /* and to give an attribute another type: a view, a rule */
    CAT_HOLDS_ROWS,  /* and to write rows anew: a column that holds values of the type */
    CAT_HOLDS_LISTS, /* and to check more in a domain: the values lie in lists or other values */
    CAT_HOLDS_TYPED, /* and to add or drop attributes: a table of the type */
} CatHold;

/* Something outside of what was read (in another schema, of an extension) that stands on objects of the
 * catalog. */
typedef struct CatDependent {
    const char *what, *name; /* "view", app."By Day"; "foreign key", k on app.t: as SQL says it */
    const char *schema;      /* NULL: in none */
    const char *extension;   /* whose member it is, or NULL */
    const char *remedy;      /* the statement that lets go; NULL where no one statement does */
    CatHold hold;
    CatRefs on; /* objects and columns */
} CatDependent;
typedef VEC(CatDependent) CatDependents;

typedef struct Catalog {
    Arena *arena;
    VEC(CatSchema *) schemas;
    VEC(CatExtension *) extensions;
    VEC(CatEnum *) enums;
    VEC(CatDomain *) domains;
    VEC(CatComposite *) composites;
    VEC(CatSequence *) sequences;
    VEC(CatFunction *) functions;
    VEC(CatRelation *) tables, views; /* views: also materialized */
    VEC(CatDefined *) defined;        /* of all rare kinds */
    CatOthers others;
    CatDependents dependents;
    CatObjects objects; /* all, each followed by its parts; by catalog_finish */
    Map index;
    unsigned count;
} Catalog;

/* Walk a list of pointers: `it` is a T pointer; break and continue work. */
#define cat_each(T, it, list)                                                                      \
    for (T **it##_at = (list)->v, **it##_end = (list)->n ? (list)->v + (list)->n : (list)->v, *it; \
         it##_at != it##_end && (it = *it##_at, true); it##_at++)

/* ---- building ------------------------------------------------------------------------------ */

/* An empty catalog. Everything that is put into it must live as long as the arena; names are not
 * copied. */
Catalog *catalog_new(Arena *a);

/* Add an object of the catalog (`schema` NULL for schemas and extensions), or a part
 * of `of` (a CatRelation, CatDomain or CatComposite *). Returns the zeroed struct of the kind with
 * its id filled. Set id.sub of functions. */
void *catalog_add(Catalog *c, CatKind kind, const char *schema, const char *name);
void *catalog_add_to(Catalog *c, void *of, CatKind kind, const char *name);

/* Sort into canonical order (kind, schema, name, sub; columns stay), build the index. After this
 * the catalog is only read. Of two objects of one name the first is found. */
void catalog_finish(Catalog *c);

/* Take tables out of a finished catalog, with their parts and the sequences of their columns, as if
 * they had never been there; references to them stay, ordinals too.
 * cost: that of catalog_finish when there is one */
void catalog_leave_out(Catalog *c, bool (*is_out)(const void *arg, const CatRelation *table),
                       const void *arg);
/* The same for objects and parts of any kind; what of them is left out goes with its parts. Members of
 * other objects (columns of a key) must go together with these. */
void catalog_leave_out_objects(Catalog *c, bool (*is_out)(const void *arg, const CatObject *o),
                               const void *arg);
/* Take objects of rare kinds out of a finished catalog; with_others: they are only named then. */
void catalog_leave_out_defined(Catalog *c, bool (*is_out)(const void *arg, const CatDefined *o),
                               const void *arg, bool with_others);
/* The same for triggers of tables. */
void catalog_leave_out_triggers(Catalog *c, bool (*is_out)(const CatTrigger *trigger));

/* A finished catalog with other versions of some of its tables; the rest is the same objects. What a
 * version has more gets ordinals from c->count on. */
Catalog *catalog_replaced(Arena *a, const Catalog *c, CatRelation *const *tables, size_t n);

/* A type from SQL in any spelling: INTEGER, "character varying" (191), TIMESTAMP(3)[],
 * decimal(10), app."Role"[], geometry(Point,4326). Unknown words are kept as an unquoted name. */
CatType catalog_type(Arena *a, Str sql);
CatType catalog_type_named(Arena *a, const char *schema, const char *name, bool is_array);
bool catalog_type_same(const CatType *x, const CatType *y);

/* What CREATE SEQUENCE AS type makes: start 1, increment 1, ... up to the type's maximum. */
void catalog_sequence_init(CatSequence *s, CatType type);
/* What a new sequence is where only the type and the increment of this one, and what its start follows
 * from, are said. */
void catalog_sequence_usual(CatSequence *usual, const CatSequence *s);

/* The name that PostgreSQL gives to the sequence of a serial column when it is free: the longer of
 * the two names gives way (makeObjectName). */
const char *catalog_serial_name(Arena *a, const char *table, const char *column);
/* The same for the constraint that NOT NULL is since 18; column NULL: of a domain (17). */
const char *catalog_not_null_name(Arena *a, const char *table, const char *column);

/* `name` with `suffix` behind it, in PostgreSQL's 63 bytes: the name gives way, at a character. */
const char *catalog_name_with(Arena *a, const char *name, const char *suffix);

/* ---- looking up ---------------------------------------------------------------------------- */

/* The object of that name (a CatRelation *, CatColumn *, ... by id.kind), or NULL. */
void *catalog_find(const Catalog *c, CatRef id);
/* Whether a table is a partition of another one or inherits from it. */
bool catalog_is_child(const CatRelation *t, const CatRef *parent);
/* Table, view or materialized view. */
CatRelation *catalog_relation(const Catalog *c, const char *schema, const char *name);
CatColumn *catalog_column(const CatRelation *r, const char *name);

/* Part number i, from 0, of that kind of a relation, domain or composite type; NULL behind the last. */
CatObject *catalog_part(const void *of, CatKind kind, size_t i);

/* Whether an expression or definition holds the identifier, as a whole, quoted or not. */
bool catalog_mentions(const char *expr, const char *name);

/* Whether a partition gets this key of its table when it is attached, and must not have it before: PostgreSQL
 * takes over no key that excludes. */
bool catalog_comes_attached(const CatConstraint *k);
/* Whether a domain's check is made by a statement of its own: rows may violate it, or it calls functions,
 * which may take the domain. */
bool catalog_check_is_apart(const CatConstraint *k);

bool cat_same_text(const char *x, const char *y);          /* NULL equals NULL only */
bool cat_same_texts(const CatTexts *x, const CatTexts *y); /* in the same order */
bool cat_has_text(const CatTexts *list, const char *text);
int cat_ref_cmp(const CatRef *x, const CatRef *y); /* canonical order */
const CatKindInfo *cat_kind(CatKind kind);
const char *cat_kind_name(CatKind kind); /* "materialized view" */
/* For people: column "email" of table "public"."User". Not filtered for terminals. */
char *cat_ref_text(Arena *a, const CatRef *id);

/* Write a name as it stands in expressions and defaults: quoted where it is not plain. Words of the
 * grammar are not looked at. */
void cat_add_ident(Buf *b, const char *name);

/* Read names as people type them, and off *rest. One name, "in quotes" or as it is, up to a dot or a blank; NULL:
 * there is none. */
const char *cat_cut_name(Arena *a, Str *rest);
/* NAME [. NAME] ..., how many; 0: more than max, or not of that form. What is behind a blank stays. */
size_t cat_cut_path(Arena *a, Str *rest, const char **parts, size_t max);

/* ---- comparing ------------------------------------------------------------------------------ */

typedef struct CatRoleMap {
    const char *from, *to;
} CatRoleMap;

/* What counts; zero: structure, comments, privileges and column order count, owners and versions
 * of extensions too. `roles` are renamed before they are compared. */
typedef struct CatRules {
    bool ignore_column_order;
    bool ignore_owners;
    bool ignore_grants;
    bool ignore_comments;
    bool ignore_versions;
    const CatRefs *grants_of; /* privileges count only on these (sorted); NULL = on all */
    const CatRoleMap *roles;
    size_t nroles;
} CatRules;

/* Names of the fields in which two objects of one kind differ; `needs` and parts do not count.
 * rules may be NULL. */
CatTexts catalog_changes(Arena *a, const void *x, const void *y, const CatRules *rules);

/* All objects so that each comes after what it needs; columns go with their relation and are not
 * listed. Where that is impossible the objects of a loop are in canonical order, and the loop is
 * one of ret_cycles (may be NULL). */
typedef VEC(CatObjects) CatCycles;
CatObjects catalog_order(Arena *a, const Catalog *c, CatCycles *ret_cycles);

/* For each object, by its ordinal: the objects that it needs, with a relation or type for its
 * columns. What a relation's columns need is listed for the relation. */
CatObjects *catalog_needs(Arena *a, const Catalog *c);

/* ---- renaming ------------------------------------------------------------------------------- */

typedef struct CatRename {
    CatRef from;    /* table, column, enum, sequence; an enum's value: the enum with sub = value */
    const char *to; /* its new name */
    const char *schema; /* its new schema; NULL: the same */
} CatRename;

typedef VEC(CatRename) CatRenames;

/* What an object was called before, as its schema says. */
typedef struct CatFormer {
    CatRef now;
    const char *was; /* NAME; of a table or enum also SCHEMA.NAME */
} CatFormer;

typedef VEC(CatFormer) CatFormers;

/* The tables that columns A and B of an implicit many-to-many relation's table lead to, and the models
 * that these are, as a schema says it: without foreign keys nothing else does. */
typedef struct CatJoin {
    CatRef table, a, b;
    const char *a_model, *b_model;
} CatJoin;

typedef VEC(CatJoin) CatJoins;

/* The catalog after ALTER ... RENAME and SET SCHEMA of all of these at once, `from` as they are
 * called in `c`: parts and references follow, expressions over
 * a table's own columns too; texts of views, rules, triggers and functions stay. Ordinals stay.
 * cost: linear in objects times renames */
Catalog *catalog_renamed(Arena *a, const Catalog *c, const CatRenames *renames);
/* A copy of one object under another name, its parts and references unchanged. */
CatObject *catalog_called(Arena *a, const CatObject *o, CatRef id);
/* The same from behind: what leads the renamed catalog back to `c`. */
CatRenames catalog_renames_back(Arena *a, const CatRenames *renames);
CatRefs catalog_refs_renamed(Arena *a, const CatRefs *refs, const CatRenames *renames);

/* ---- storing ------------------------------------------------------------------------------- */

/* The whole catalog in the form of base/pack.h, for caches, and back. The catalog points into `stored`.
 * errors: ERR_INTERNAL (damaged, or of another version) */
Str catalog_store(Arena *a, const Catalog *c);
MUST_CHECK bool catalog_read(Arena *a, Str stored, Catalog **ret, Err *err);
