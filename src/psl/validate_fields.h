/* Lists of field names in arguments. */
#pragma once

#include "psl/validate_int.h"

typedef struct FieldPick {
    PslModel *of;        /* whose fields */
    const PslFile *file; /* where the list stands */
    bool with_args;      /* `a(sort: Desc)` is fine */
    PslKeyField *v;      /* the result; empty after an error */
    size_t n;
} FieldPick;

/* Find the fields of an array of names, or of a single name. Reports what is no name, unknown, a
 * relation or doubled; false after any of those. */
bool v_fields_pick(Ctx *c, FieldPick *pick, const PslExpr *e);
