/* Judging scripts before they run: what each statement locks and for how long it works under that lock,
 * what it throws away, what it breaks in code that runs now, where it fails on rows that are there, and
 * what to write instead.
 *
 * A schema is followed through the scripts: it begins empty or as a catalog, and each statement is
 * judged with what the ones before have made. Tables of the same release are new: nobody waits for them,
 * and they hold nothing. What `aramid deploy` makes harmless (locks that are only
 * short: they are tried with a limit, again and again) is a notice. Rules are the findings of
 * base/findings.def whose area is "lint". Pure. */
#pragma once

#include "base/finding.h"
#include "catalog/catalog.h"
#include "catalog/standing.h"
#include "catalog/stats.h"
#include "diff/diff.h"
#include "sqltext/actions.h"

typedef struct LintOptions {
    const char *schema;    /* where names without a schema lead */
    const Catalog *before; /* what is there at first; NULL = nothing. Finished, only read */
    const Stats *stats;  /* sizes of tables; one that is not among them may be large. NULL = none */
    int64_t small_rows;  /* work on a table of fewer rows */
    int64_t small_bytes; /* and fewer bytes than that is a notice */
    bool asks;           /* gather what the rows of a database can be asked: lint_questions */
    bool is_exposed;     /* public is served to browsers (Supabase): row-level security matters */
    FindingList *findings; /* where they go */
} LintOptions;

/* What a statement does to a table that was there before its release. */
typedef struct LintEffect {
    const CatRelation *table;
    const char *schema, *name; /* of it, then */
    SqlLockMode mode;
    /* What it does while it holds that lock: reads every row, builds an index, writes every row and all
     * indexes anew. */
    bool scans, builds, rewrites;
} LintEffect;
typedef VEC(LintEffect) LintEffects; /* each table once, in order of first mention */

/* A script that was read by sql_classify_actions. */
typedef struct LintScript {
    const char *name; /* of the migration */
    const Source *source;
    const SqlScript *script;
    const SqlActionVec *actions;
    const SqlDirectiveVec *directives; /* those that say what is to be ignored */
} LintScript;

typedef struct Lint Lint;

/* options and what they point to must live as long. */
Lint *lint_new(Arena *a, const LintOptions *options);

/* What is there now was there before all that follows: called where scripts are run that came with a
 * release of their own. */
void lint_release(Lint *l);

/* Follow the schema through a script without a word. */
void lint_follow(Lint *l, const LintScript *script);

/* The same, and judge it: findings go to the list, at most one of a rule for each table of a script.
 * Returns what each statement does, an array as long as the script, in the arena of `l`. */
LintEffects *lint_script(Lint *l, const LintScript *script);

/* What the rows of the database, as they are before the release, say of a statement that may fail on them: NOT
 * NULL, UNIQUE, CHECK, a foreign key, a new type. */
typedef struct LintQuestion {
    DiffEffect effect;
    Str sql;             /* as DiffQuestion has it; "" = cannot be asked */
    const char *why_not; /* then; for people */
    Finding place;       /* of the statement: everything but what was found */
} LintQuestion;
typedef VEC(LintQuestion) LintQuestions;

/* Of the scripts that were judged, in their order. */
const LintQuestions *lint_questions(const Lint *l);

/* What a statement takes away, or a column that it gives another type: what stands there in the database may be in
 * the way. Named as the database has it before the release. */
typedef struct LintRemoval {
    StandGone gone;
    size_t at;          /* number of its statement among all */
    const char *unsure; /* why it may be otherwise by then, for people; NULL: it is not */
    Finding place;      /* of the statement: everything but what was found */
} LintRemoval;
typedef VEC(LintRemoval) LintRemovals;

/* Of the scripts that were judged, in their order. */
const LintRemovals *lint_removals(const Lint *l);
/* Whether that statement or one before it lets go of what stands there. */
bool lint_lets_go(const Lint *l, const LintRemoval *r, const Standing *s);
