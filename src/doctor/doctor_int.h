/* Internal to doctor/. */
#pragma once

#include "doctor/doctor.h"

enum { ASK_TOOL_MS = 2000, LOOK_MS = 3000 };

/* Run a program for a moment and keep its output; false when it did not end well. */
bool doctor_run(Doctor *d, const char *const *argv, Str *ret_out);

/* Ask the server one query of our own in a READ ONLY transaction with an empty search_path: names
 * of operators then lead to pg_catalog only. NULL: a finding says that `what` could not be looked
 * at. */
const DbRows *doctor_ask(Doctor *d, Session *s, const char *what, const char *sql);

/* A whole number of a cell, 0 for NULL. */
int64_t doctor_int(const DbRows *r, int row, int col);
bool doctor_true(const DbRows *r, int row, int col);
bool doctor_null(const DbRows *r, int row, int col);

/* A cell as text that may be printed. */
const char *doctor_text(Doctor *d, const DbRows *r, int row, int col);

/* A name as SQL wants it, for commands that a person types; schema NULL = none. */
const char *doctor_ident(Doctor *d, const char *schema, const char *name);

/* "1.5 GB" */
const char *doctor_bytes(Arena *a, int64_t bytes);
