/* Diagnostics and errors as people, machines and GitHub read them. Everything is written into a
 * Buf or a JsonWriter; nothing is printed here. */
#pragma once

#include "base/diag.h"
#include "base/err.h"
#include "base/jw.h"
#include "report/term.h"

/* Write every diagnostic of a sorted list as text:
 *
 *     prisma/schema.prisma:12:10: error: unknown type "Usr" [type-unknown]
 *        12 |   author Usr
 *           |          ^^^
 *           = note: ...
 *           = hint: did you mean "User"?
 *
 * Columns count code points from 1. Long source lines are cut around the caret. Linear in the
 * text and in the number of diagnostics as long as the list is sorted (diag_sort). */
void diag_text(Buf *out, const Term *term, const DiagList *list);

/* "2 errors and 1 warning", "no errors", "1 warning". Counts what was found, not what was kept. */
char *diag_text_count(Arena *a, const DiagList *list);

/* Write the array `key` (NULL inside an array) of a sorted list: severity, id, message, note, hint,
 * path, line, column, endLine, endColumn (all five null without a source), offset, length. */
void diag_json(JsonWriter *w, const char *key, const DiagList *list);

/* Write GitHub workflow commands (::error file=...,line=...::message), one a line. `root` is the
 * folder of the checkout: paths below it are written relative to it; NULL = they stay as they are.
 * Format: docs.github.com, "Workflow commands for GitHub Actions". */
void diag_github(Buf *out, const DiagList *list, const char *root);

/* Write an error: "error: primary", the place, detail and hint, each on its own lines, with a line
 * end. Control characters are made visible. */
void diag_text_error(Buf *out, const Term *term, const Err *err);

/* Write an error as object `key`: code, exitStatus, prisma (or null), sqlstate (or null), message,
 * detail, hint, path, line, column, statement (null when not known). */
void diag_json_error(JsonWriter *w, const char *key, const Err *err);
