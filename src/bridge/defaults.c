/* Default values and predicates as SQL text. */
#include "bridge/bridge_int.h"

#include <ctype.h>

void
bridge_add_literal(Buf *b, Str text)
{
    buf_addc(b, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\'')
            buf_addc(b, '\'');
        buf_addc(b, text.p[i]);
    }
    buf_addc(b, '\'');
}

/* RFC 3339 as Prisma's engine prints it: fractions in 3, 6 or 9 digits, offsets with a colon. */
static void
add_datetime(Buf *b, Str s)
{
    size_t i = 19, digits = 0;
    if (s.n < 19) {
        bridge_add_literal(b, s);
        return;
    }
    buf_addc(b, '\'');
    buf_add(b, str_slice(s, 0, 10));
    buf_addc(b, ' ');
    buf_add(b, str_slice(s, 11, 19));
    char fraction[10] = "000000000";
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && isdigit((unsigned char)s.p[i]); i++)
            if (digits < 9)
                fraction[digits++] = s.p[i];
    size_t shown = 9;
    while (shown && strncmp(fraction + shown - 3, "000", 3) == 0)
        shown -= 3;
    if (shown)
        buf_fmt(b, ".%.*s", (int)shown, fraction);
    buf_addc(b, ' ');
    if (i + 6 > s.n)
        buf_addz(b, "+00:00");
    else
        buf_add(b, str_slice(s, i, i + 6));
    buf_addc(b, '\'');
}

static int
base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

static void
add_bytes(Buf *b, Str s)
{
    unsigned bits = 0, n = 0;
    buf_addz(b, "'\\x");
    for (size_t i = 0; i < s.n; i++) {
        int value = base64_value(s.p[i]);
        if (value < 0)
            break;
        bits = bits << 6 | (unsigned)value;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_fmt(b, "%02x", bits >> n & 0xff);
        }
    }
    buf_addc(b, '\'');
}

static void
add_value(Buf *b, const PslModelField *f, const PslExpr *e)
{
    if (f->kind == PSL_FIELD_ENUM) {
        const PslEnumValue *value = map_get(&f->enum_->by_name, e->text);
        bridge_add_literal(b, value ? value->db_name : e->text);
    } else if (e->kind != PSL_STRING) {
        buf_add(b, e->text);
    } else if (f->scalar == PSL_DATETIME) {
        add_datetime(b, e->text);
    } else if (f->scalar == PSL_BYTES) {
        add_bytes(b, e->text);
    } else if (f->scalar == PSL_DECIMAL || f->scalar == PSL_FLOAT) {
        buf_add(b, e->text);
    } else {
        bridge_add_literal(b, e->text);
    }
}

const char *
bridge_default(Arena *a, const PslModelField *f, const char *sql_type)
{
    Buf b;
    buf_init(&b, a);
    switch (f->dflt.kind) {
    case PSL_DEFAULT_VALUE: {
        const PslExpr *e = f->dflt.value;
        if (e->kind != PSL_ARRAY) {
            add_value(&b, f, e);
            break;
        }
        buf_addz(&b, "ARRAY[");
        for (size_t i = 0; i < e->args.n; i++) {
            if (i)
                buf_addz(&b, ", ");
            add_value(&b, f, &e->args.v[i].value);
        }
        buf_fmt(&b, "]::%s", sql_type);
        break;
    }
    case PSL_DEFAULT_NOW:
        return "CURRENT_TIMESTAMP";
    case PSL_DEFAULT_DBGENERATED:
        if (f->dflt.value)
            buf_add(&b, f->dflt.value->text);
        break;
    default:
        return NULL;
    }
    return b.n ? b.p : NULL;
}

/* ---- predicates ---------------------------------------------------------------------------- */

static void
add_condition(Buf *b, const PslModel *m, const PslArg *arg)
{
    const PslModelField *f = psl_model_field(m, arg->name);
    const PslExpr *e = &arg->value;
    bool negated = e->kind == PSL_OBJECT && e->args.n;
    if (negated)
        e = &e->args.v[0].value;
    buf_addc(b, '"');
    buf_add(b, f ? f->column : arg->name);
    buf_addc(b, '"');
    if (e->kind == PSL_CONSTANT && str_is(e->text, "null")) {
        buf_addz(b, negated ? " IS NOT NULL" : " IS NULL");
        return;
    }
    buf_addz(b, negated ? " != " : " = ");
    if (f)
        add_value(b, f, e);
}

const char *
bridge_predicate(Arena *a, const PslModel *m, const PslExpr *where)
{
    if (!where)
        return NULL;
    Buf b;
    buf_init(&b, a);
    buf_addc(&b, '(');
    if (where->kind == PSL_FUNCTION && where->args.n)
        buf_add(&b, where->args.v[0].value.text);
    for (size_t i = 0; where->kind == PSL_OBJECT && i < where->args.n; i++) {
        if (i)
            buf_addz(&b, " AND ");
        add_condition(&b, m, &where->args.v[i]);
    }
    buf_addc(&b, ')');
    return b.p;
}
