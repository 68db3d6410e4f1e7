/* Errors as people and machines read them. */
#pragma once

#include "base/err.h"
#include "base/jw.h"
#include "report/term.h"

/* Write an error: "error: primary", the place, detail and hint, each on its own lines, with a line
 * end. Control characters are made visible. */
void error_text(Buf *out, const Term *term, const Err *err);

/* Write an error as object `key`: code, exitStatus, prisma (or null), sqlstate (or null), message,
 * detail, hint, path, line, column, statement (null when not known). */
void error_json(JsonWriter *w, const char *key, const Err *err);
