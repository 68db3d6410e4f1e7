/* Internal to history/: what the two generations of Drizzle have in common. */
#pragma once

#include "history/layout_int.h"

/* Migration.cut: the file's text as Drizzle cuts it: it sends what stands between its markers piece by piece, so a
 * marker ends a statement. Each becomes a semicolon and spaces: offsets stay those of the file.
 * errors ERR_MIGRATION_FILE with the place, for a marker in a string, function body or comment: there
 * Drizzle cuts, too, and fails */
MUST_CHECK bool drizzle_cut(const Migration *m, char *text, size_t *n, Err *err);

/* "<first 12 of the hash> of <created_at>": a row that belongs to no file. */
const char *drizzle_unknown(Arena *a, Str hash, Str when);

bool drizzle_checksum_matches(Arena *a, const char *recorded, const Migration *m);
