/* What the files of aramid create share; no other file includes it. */
#pragma once

#include "flow/create.h"

/* The slug of in->name. errors: ERR_NAME */
MUST_CHECK bool create_name(Arena *a, const CreateInput *in, const char **ret, Err *err);

/* ret->history: which of several the new migration belongs to, by in->folder, else by what it is made of:
 * schema.prisma is Prisma's. errors: ERR_USAGE */
MUST_CHECK bool create_history(Arena *a, const CreateInput *in, CreateResult *ret, Err *err);

/* The schema that the project's migrations are to lead to, and where it was found.
 * errors: ERR_NO_SCHEMA, ERR_CONFIG, ERR_IO */
MUST_CHECK bool create_target(Arena *a, const CreateInput *in, const History *h, Endpoint *ret,
                              Err *err);

/* ret->files of ret->sql and ret->down. */
MUST_CHECK bool create_files(Arena *a, const CreateInput *in, CreateResult *r, Err *err);

/* A migration of a Drizzle project is written by drizzle-kit: r->files is what it wrote.
 * errors: those of flow_generate; ERR_USAGE: an option that it has not; ERR_GENERATE: it wrote nothing */
MUST_CHECK bool create_by_drizzle(Arena *a, const CreateInput *in, CreateResult *r, Err *err);

/* ret->guesses: what looks renamed, as far as nobody said what it is. */
void create_guess(Arena *a, const CreateInput *in, CreateResult *r, const Diff *d);

/* The statements of row-level security for the tables that a comparison makes. */
Str create_rls(Arena *a, const Diff *d, const char *schema);
