/* Findings as people, machines and GitHub read them. Everything is written into a Buf or a
 * JsonWriter; nothing is printed here. */
#pragma once

#include "base/finding.h"
#include "base/jw.h"
#include "report/term.h"

/* Write a finding. With a source as a compiler does:
 *
 *     prisma/schema.prisma:12:10: error: unknown type "Usr" [type-unknown]
 *        12 |   author Usr
 *           |          ^^^
 *           = note: ...
 *           = hint: did you mean "User"?
 *
 * and else in one line behind a mark, `indent` columns from the left, with note and fix below:
 *
 *     ! .env: it may hold passwords and is not listed in .gitignore [config-not-ignored]
 *          echo '.env' >> .gitignore
 *
 * Columns count code points from 1. Long source lines are cut around the caret, others broken
 * where the terminal ends. */
void finding_text(Buf *out, const Term *term, const Finding *f, size_t indent);

/* "FILE:LINE:COLUMN" as far as it is known, of a finding without a source; NULL = no place. */
const char *finding_place(Arena *a, const Finding *f);

/* Every finding of a list. Linear in the text of the sources and in the number of findings as long
 * as the list is sorted (findings_sort). */
void findings_text(Buf *out, const Term *term, const FindingList *list);

/* "2 errors and 1 warning", "no errors", "1 warning". Counts what was found, not what was kept. */
char *findings_counted(Arena *a, const FindingList *list);

/* Write the members of a finding's object, the same wherever a finding is told: id, area, severity,
 * object, message, note, fix, path, line, column, endLine, endColumn (null where not known). The
 * caller begins and ends the object. */
void finding_json_members(JsonWriter *w, const Finding *f);

/* Write a list as the array `key` (NULL inside an array); list NULL = an empty one. */
void findings_json(JsonWriter *w, const char *key, const FindingList *list);

/* Only the texts: what a list was in JSON before findings had one form. */
void findings_json_texts(JsonWriter *w, const char *key, const FindingList *list);

/* The same with what else the findings of a schema have always told: hint (fix), offset, length. */
void findings_json_of_schema(JsonWriter *w, const char *key, const FindingList *list);

/* Write GitHub workflow commands (::error file=...,line=...::message), one a line. `root` is the
 * folder of the checkout: paths below it are written relative to it; NULL = they stay as they are.
 * Format: docs.github.com, "Workflow commands for GitHub Actions". */
void findings_github(Buf *out, const FindingList *list, const char *root);
