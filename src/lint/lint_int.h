/* Between the files of this room.
 *
 * schema.c follows the schema, effects.c knows what an action locks and works on, types.c which changes of a
 * type keep the rows, rules*.c what to say
 * of it, say.c says it, questions.c what rows can be asked, removals.c what may stand in the way, lint.c goes through the statements. */
#pragma once

#include "lint/lint.h"

/* ---- schema.c: a catalog that changes with each statement ----------------------------------------- */

typedef struct LintIndexAt {
    CatRelation *table;
    CatIndex *index;
} LintIndexAt;

typedef struct LintSchema {
    Arena *arena;
    Catalog *catalog;
    const char *usual;  /* where names without a schema lead */
    Map relations;      /* "schema.name": CatRelation *; NULL = gone */
    Map indexes;        /* "schema.name": LintIndexAt * */
    Map enums, domains; /* "schema.name": CatObject *; NULL = gone */
    Map steady; /* "name" of a function: not NULL where it gives the same value for all rows of a statement */
} LintSchema;

void lint_schema_init(LintSchema *s, Arena *a, const char *usual, const Catalog *before);
/* What the action makes of the schema. What it names and is not there is passed over: the server will
 * refuse it, or it was made by code. */
void lint_schema_apply(LintSchema *s, const SqlAction *x);

CatRelation *lint_relation(const LintSchema *s, SqlName name); /* or NULL */
LintIndexAt *lint_index(const LintSchema *s, SqlName name);    /* or NULL */
/* In one of its maps: what a name leads to, and that it does from here on (schema NULL = the usual one). */
void *lint_lookup(const LintSchema *s, const Map *map, SqlName name);
void lint_remember(const LintSchema *s, Map *map, const char *schema, const char *name,
                   void *value);
void lint_remember_index(LintSchema *s, CatRelation *t, CatIndex *index);
/* The name that PostgreSQL gives to a constraint without one. */
const char *lint_constraint_name(Arena *a, const SqlAction *x);
/* Whether a valid check says that a column is not NULL. */
bool lint_is_proven_not_null(const CatRelation *t, const char *column);
/* The foreign keys that lead to a table: calls fn for each. */
typedef void LintKeyFn(void *arg, CatRelation *from, const CatConstraint *key);
void lint_each_key_to(const LintSchema *s, const CatRelation *to, LintKeyFn *fn, void *arg);

/* ---- types.c -------------------------------------------------------------------------------------- */

typedef enum LintChange {
    LINT_KEEPS,          /* rows and indexes stay as they are */
    LINT_REBUILDS,       /* rows stay, indexes on the column do not */
    LINT_REWRITES,       /* all is written anew */
    LINT_CHANGES_UNKNOWN /* of types that are not known here: as LINT_REWRITES */
} LintChange;

/* What ALTER COLUMN TYPE does; `now` as catalog_type has it. The session's time zone is UTC. */
LintChange lint_type_change(const CatType *was, const CatType *now, bool has_using);

/* ---- lint.c, effects.c, rules*.c ------------------------------------------------------------------ */

struct Lint {
    Arena *arena;
    const LintOptions *options;
    LintSchema schema;
    unsigned release; /* objects with this ordinal and above came with the release */
    /* of the script that is judged */
    const LintScript *script;
    size_t at; /* statement */
    SqlStmt stmt;
    LintEffects *effects;
    LintEffect did; /* what the last action works on; its table and mode are not told */
    Map said;       /* "rule table": already */
    LintQuestions questions;
    Map touched; /* what is not any more as it was before the release: its number -> why */
    const char *all_touched; /* nothing may be: why */
    size_t number;           /* of the statement, among all that were judged */
    LintRemovals removals;
    Map was,
        let_go; /* removals.c: names as the database has them; what does not stand any more: since when */
    VEC(const char *) checked; /* "table.constraint" that came NOT VALID in this transaction */
};

/* Whether an object was there before the release. */
static inline bool
lint_is_old(const Lint *l, const void *object)
{
    return object && ((const CatObject *)object)->ordinal < l->release;
}

/* Whether the statement has transactions of its own, by its directive: batches, or a proof. */
static inline bool
lint_is_apart(const Lint *l)
{
    const SqlDirectiveVec *list = l->script->directives;
    return sql_directive_at(list, SQL_DIRECTIVE_BATCH, l->at) ||
           sql_directive_at(list, SQL_DIRECTIVE_PROVE, l->at);
}

/* What an action does to tables that are there, before it is applied. */
void lint_effects_add(Lint *l, const SqlAction *x);
/* The locks that the statement's own words name. */
void lint_effects_named(Lint *l);

/* Say something about the statement: text in lower case; fix may be NULL. `table`: of one rule and table
 * only the first is said; NULL = of the statement. */
__attribute__((format(printf, 5, 6))) void
lint_say(Lint *l, FindingId rule, const CatRelation *table, const char *fix, const char *fmt, ...);
/* The same of work on the rows of a table: a notice where it is known to be small. */
__attribute__((format(printf, 5, 6))) void lint_say_work(Lint *l, FindingId rule,
                                                         const CatRelation *table, const char *fix,
                                                         const char *fmt, ...);
/* The same of what is lost with its rows, or fails for them: a notice where there are none. */
__attribute__((format(printf, 5, 6))) void lint_say_rows(Lint *l, FindingId rule,
                                                         const CatRelation *table, const char *fix,
                                                         const char *fmt, ...);
/* "table users", as SQL has it. */
const char *lint_shown(const Lint *l, const CatRelation *t);
const char *lint_ident(const Lint *l, const char *name);

/* Where the statement is, as a finding has it. */
Finding lint_place(const Lint *l);

/* questions.c: gather what rows can be asked about an action, before it is applied; and remember what it
 * makes of them. */
void lint_ask(Lint *l, const SqlAction *x);
void lint_touch(Lint *l, const SqlAction *x);
void lint_touch_all(Lint *l, const char *why);

/* removals.c: remember what an action takes away, and what of that kind a statement without actions does. */
void lint_remove(Lint *l, const SqlAction *x);
void lint_remove_unnamed(Lint *l);

/* Judge an action, before it is applied. */
void lint_judge_tables(Lint *l, const SqlAction *x);      /* rules_tables.c */
void lint_judge_constraints(Lint *l, const SqlAction *x); /* rules_constraints.c */
void lint_judge_rest(Lint *l, const SqlAction *x);        /* rules_rest.c */
void lint_judge_statement(Lint *l);                       /* what needs no action */
