/* Cells of rows as values. */
#include "introspect/introspect_int.h"

unsigned
cell_oid(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, 0, UINT32_MAX, &value);
    return (unsigned)value;
}

int
cell_int(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, INT32_MIN, INT32_MAX, &value);
    return (int)value;
}

int64_t
cell_big(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, INT64_MIN, INT64_MAX, &value);
    return value;
}

bool
cell_yes(Str cell)
{
    return cell.n && cell.p[0] == 't';
}

char
cell_letter(Str cell)
{
    return cell.n ? cell.p[0] : '\0';
}

const char *
cell_text(Reading *r, Str cell)
{
    return cell.n ? str_dup(r->arena, cell) : NULL;
}

const char *
cell_printed(Reading *r, Str cell)
{
    r->is_torn = r->is_torn || (cell.p && !cell.n);
    return cell_text(r, cell);
}

const char *
cell_name(Reading *r, Str cell)
{
    if (!cell.p)
        return NULL;
    const char *known = map_get(&r->names, cell);
    if (known)
        return known;
    char *copy = str_dup(r->arena, cell);
    map_put(&r->names, (Str){copy, cell.n}, copy);
    return copy;
}

CatName
cell_qualified(Reading *r, Str schema, Str name_)
{
    return (CatName){str_is(schema, "pg_catalog") ? NULL : cell_name(r, schema),
                     cell_name(r, name_)};
}

CatType
cell_type(Reading *r, Str cell)
{
    CatType *known = map_get(&r->types, cell);
    if (!known) {
        known = arena_new(r->scratch, CatType);
        *known = catalog_type(r->arena, cell);
        r->is_torn = r->is_torn || str_starts(cell, STR("???")); /* format_type's word for gone */
        map_put(&r->types, str_copy(r->scratch, cell), known);
    }
    return *known;
}

void
cell_options(Reading *r, Str cell, CatTexts *ret)
{
    Strs items = intro_array(r->scratch, cell);
    vec_each (Str, item, &items)
        if (!str_starts(*item, STR("pg_attver=")))
            *vec_add(r->arena, ret) = cell_name(r, *item);
}

void
cell_names(Reading *r, Str cell, CatTexts *ret)
{
    Strs items = intro_array(r->scratch, cell);
    vec_each (Str, item, &items)
        *vec_add(r->arena, ret) = cell_name(r, *item);
}

Numbers
cell_numbers(Reading *r, Str cell)
{
    Numbers out = {0};
    long long value = 0;
    bool in = false, minus = false;
    for (size_t i = 0; i <= cell.n; i++) {
        char c = i < cell.n ? cell.p[i] : ' ';
        if (c == '-')
            minus = true;
        else if (c >= '0' && c <= '9') {
            value = value * 10 + (c - '0');
            in = true;
        } else {
            if (in)
                *vec_add(r->scratch, &out) = minus ? -value : value;
            value = 0;
            in = minus = false;
        }
    }
    return out;
}

const char *
cell_statement(Reading *r, Str cell)
{
    Str trimmed = str_trim(cell);
    if (str_ends(trimmed, STR(";")))
        trimmed.n--;
    return cell_printed(r, trimmed);
}
