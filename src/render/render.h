/* Changes -> text: SQL, and what people read about them. No other room writes names or literals into
 * DDL.
 *
 * Scripts look as those of `prisma migrate diff --script` do, with steps of our own kind for what
 * Prisma does not know; with DiffOptions.prisma_compat they are the same byte for byte, mistakes
 * included (names with quotes in them are not escaped, ...). */
#pragma once

#include "diff/diff.h"

typedef struct RenderOptions {
    const char *schema; /* its objects are written without it; NULL = "public", "" = none */
} RenderOptions;

typedef struct RenderStep {
    const Change *change;
    const char *title;   /* "CreateTable" */
    CatTexts statements; /* without semicolons; a leading comment is part of one */
} RenderStep;

typedef VEC(RenderStep) RenderSteps;

/* The statements of each change, in order. Changes that need none are left out.
 *
 * options  NULL for defaults
 * returns  owned by `a` */
RenderSteps render_steps(Arena *a, const Diff *d, const RenderOptions *options);

/* The migration file. Without changes: "-- This is an empty migration." */
Str render_script(Arena *a, const Diff *d, const RenderOptions *options);

/* The comment that Prisma puts on top of a new migration ("" when there is nothing to say), with
 * its own words for what it knows. All: also what only we tell. */
Str render_warnings(Arena *a, const Diff *d, bool all);

/* An effect as Prisma says it where it has words for it, followed by what the rows of a database say
 * where they were asked: "3 of 120 rows have NULL." Not filtered for terminals. */
const char *render_effect(Arena *a, const DiffEffect *effect);

/* Only that: "3 of 120 rows have NULL." Of an effect that was answered. */
const char *render_answer(Arena *a, const DiffEffect *effect);

/* A constraint, index, policy, trigger or rule as it is said behind its name: "PRIMARY KEY (id)", "(email)
 * WHERE deleted_at IS NULL", "FOR SELECT USING (...)"; of the last two the whole statement. This and the
 * next two are owned by `a` and not filtered for terminals.
 *
 * schema  its names are written without it */
const char *render_part(Arena *a, const CatObject *part, const char *schema);
/* What fills a column that is not given: its default, identity or expression; NULL: nothing does. */
const char *render_column_default(Arena *a, const Catalog *c, const CatColumn *column,
                                  const char *schema);
/* "SELECT, INSERT"; "none": of a role that lost what it usually has. */
const char *render_grant(Arena *a, const CatGrant *g);

/* view app."By Day"; what does not belong to the catalog. Not filtered for terminals. */
const char *render_dependent(Arena *a, const CatDependent *user);

/* The same as findings: what is lost first, then what cannot work, then what is worth knowing. */
void render_findings(Arena *a, const Diff *d, FindingList *ret);

/* What `prisma migrate diff` tells people. */
Str render_summary(Arena *a, const Diff *d);
