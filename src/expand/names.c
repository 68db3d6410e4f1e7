/* Names: of kinds, states and changes; as people write them, and as a head has them. */
#include "expand/expand_int.h"

static const char *const kind_names[EXPAND_KIND_COUNT] = {
    [EXPAND_RENAME_COLUMN] = "rename-column", [EXPAND_RENAME_TABLE] = "rename-table",
    [EXPAND_CHANGE_TYPE] = "change-type",     [EXPAND_NOT_NULL] = "not-null",
    [EXPAND_DROP_COLUMN] = "drop-column",     [EXPAND_SPLIT] = "split",
};

const char *
expand_kind_name(ExpandKind kind)
{
    return kind_names[kind];
}

bool
expand_kind_of(const char *name, ExpandKind *ret)
{
    for (int i = 0; i < EXPAND_KIND_COUNT; i++)
        if (strcmp(kind_names[i], name) == 0) {
            *ret = (ExpandKind)i;
            return true;
        }
    return false;
}

const char *
expand_state_name(ExpandState state)
{
    static const char *const names[EXPAND_STATE_COUNT] = {"unknown",  "pending",     "expanding",
                                                          "expanded", "contracting", "contracted"};
    return names[state];
}

void
expand_slug_add(Buf *b, const char *text)
{
    for (const char *p = text; *p; p++) {
        bool is_word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        bool is_upper = *p >= 'A' && *p <= 'Z';
        if (is_upper && b->n && p > text && p[-1] >= 'a' && p[-1] <= 'z')
            buf_addc(b, '_');
        if (is_word || is_upper)
            buf_addc(b, is_upper ? (char)(*p - 'A' + 'a') : *p);
        else if (b->n && b->p[b->n - 1] != '_')
            buf_addc(b, '_');
    }
}

/* What the change is called: users_full_name. */
const char *
expand_change_name(Arena *a, const ExpandChange *c)
{
    Buf b;
    buf_init(&b, a);
    expand_slug_add(&b, c->table);
    if (b.n && b.p[b.n - 1] != '_')
        buf_addc(&b, '_');
    expand_slug_add(&b, c->made.n ? c->made.v[0] : c->column ? c->column : "");
    return b.n > 1 ? b.p : "change";
}

bool
expand_read(Arena *a, Str value, ExpandChange *ret)
{
    const char *parts[3];
    Str rest = value, kind = str_cut(&rest, ' ');
    *ret = (ExpandChange){0};
    if (!rest.p || !expand_kind_of(str_dup(a, kind), &ret->kind))
        return false;
    rest = str_trim(rest);
    size_t wanted = ret->kind == EXPAND_RENAME_TABLE ? 2 : 3;
    if (cat_cut_path(a, &rest, parts, 3) != wanted)
        return false;
    ret->schema = parts[0];
    ret->table = parts[1];
    ret->column = wanted == 3 ? parts[2] : NULL;
    while (rest.n) {
        const char *made = cat_cut_name(a, &rest);
        rest = str_trim(rest);
        if (!made)
            return false;
        *vec_add(a, &ret->made) = made;
    }
    bool makes = ret->kind != EXPAND_NOT_NULL && ret->kind != EXPAND_DROP_COLUMN;
    ret->name = expand_change_name(a, ret);
    return makes == (ret->made.n > 0);
}
