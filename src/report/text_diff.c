/* Myers' algorithm: http://www.xmailserver.org/diff2.pdf, after what both texts begin and end with
 * was put aside. */
#include "report/text_diff.h"

#include "base/vec.h"

enum { CONTEXT = 3, MOST_STEPS = 2000 };

typedef VEC(Str) Lines;

static Lines
lines_of(Arena *a, Str text)
{
    Lines all = {0};
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
        *vec_add(a, &all) = (Str){text.p, n};
        text = str_slice(text, n, text.n);
    }
    return all;
}

/* Mark the lines that are only on one side. */
static void
compare(Arena *a, const Lines *x, const Lines *y, bool *gone, bool *come)
{
    size_t from = 0, xn = x->n, yn = y->n;
    while (from < xn && from < yn && str_eq(x->v[from], y->v[from]))
        from++;
    while (xn > from && yn > from && str_eq(x->v[xn - 1], y->v[yn - 1]))
        xn--, yn--;
    long n = (long)(xn - from), m = (long)(yn - from), most = n + m;
    if (most > MOST_STEPS)
        most = MOST_STEPS;
    long *reach = arena_array(a, long, 2 * most + 3), **steps = arena_array(a, long *, most + 1);
    long *at = reach + most + 1, found = -1;
    for (long d = 0; d <= most && found < 0; d++) {
        steps[d] = arena_array(a, long, 2 * d + 3);
        memcpy(steps[d], at - d - 1, (size_t)(2 * d + 3) * sizeof *at);
        for (long k = -d; k <= d && found < 0; k += 2) {
            long i = k == -d || (k != d && at[k - 1] < at[k + 1]) ? at[k + 1] : at[k - 1] + 1;
            long j = i - k;
            while (i < n && j < m && str_eq(x->v[from + (size_t)i], y->v[from + (size_t)j]))
                i++, j++;
            at[k] = i;
            if (i >= n && j >= m)
                found = d;
        }
    }
    if (found < 0) {
        for (size_t i = from; i < xn; i++)
            gone[i] = true;
        for (size_t j = from; j < yn; j++)
            come[j] = true;
        return;
    }
    for (long i = n, j = m, d = found; d > 0; d--) {
        const long *was = steps[d] + d + 1;
        long k = i - j;
        bool down = k == -d || (k != d && was[k - 1] < was[k + 1]);
        long before_k = down ? k + 1 : k - 1, before_i = was[before_k],
             before_j = before_i - before_k;
        if (down)
            come[from + (size_t)before_j] = true;
        else
            gone[from + (size_t)before_i] = true;
        i = before_i;
        j = before_j;
    }
}

static void
add_line(Buf *out, const Term *t, char sign, Str line)
{
    TermStyle style = sign == '+' ? TERM_GREEN : sign == '-' ? TERM_RED : TERM_PLAIN;
    bool ends = line.n && line.p[line.n - 1] == '\n';
    term_begin(out, t, style);
    buf_addc(out, sign);
    buf_addz(out,
             str_printable(out->arena, str_slice(line, 0, line.n - ends), true)); /* keeps tabs */
    term_end(out, t, style);
    buf_addz(out, ends ? "\n" : "\n\\ No newline at end of file\n");
}

typedef struct Step {
    char sign;
    Str line;
} Step;

typedef VEC(Step) Steps;

static void
add_range(Buf *out, char sign, size_t from, size_t n)
{
    buf_fmt(out, "%c%zu", sign, n ? from + 1 : from);
    if (n != 1)
        buf_fmt(out, ",%zu", n);
}

static void
add_hunks(Buf *out, const Term *t, const Steps *all)
{
    size_t x = 0, y = 0;
    for (size_t i = 0; i < all->n;) {
        size_t first = i;
        while (first < all->n && all->v[first].sign == ' ')
            first++;
        if (first == all->n)
            return;
        size_t begin = first > i + CONTEXT ? first - CONTEXT : i, end = first, same = 0;
        for (; end < all->n && same <= 2 * CONTEXT; end++)
            same = all->v[end].sign == ' ' ? same + 1 : 0;
        end -= same > CONTEXT ? same - CONTEXT : 0;
        x += begin - i;
        y += begin - i;
        size_t xn = 0, yn = 0;
        for (size_t k = begin; k < end; k++) {
            xn += all->v[k].sign != '+';
            yn += all->v[k].sign != '-';
        }
        term_begin(out, t, TERM_CYAN);
        buf_addz(out, "@@ ");
        add_range(out, '-', x, xn);
        buf_addc(out, ' ');
        add_range(out, '+', y, yn);
        buf_addz(out, " @@");
        term_end(out, t, TERM_CYAN);
        buf_addc(out, '\n');
        for (size_t k = begin; k < end; k++)
            add_line(out, t, all->v[k].sign, all->v[k].line);
        x += xn;
        y += yn;
        i = end;
    }
}

void
text_diff(Buf *out, const Term *t, const char *name, Str before, Str after)
{
    if (str_eq(before, after))
        return;
    ARENA_LOCAL(a);
    Lines x = lines_of(a, before), y = lines_of(a, after);
    bool *gone = arena_array(a, bool, x.n + 1), *come = arena_array(a, bool, y.n + 1);
    compare(a, &x, &y, gone, come);
    Steps all = {0};
    for (size_t i = 0, j = 0; i < x.n || j < y.n;) {
        if (i < x.n && gone[i])
            *vec_add(a, &all) = (Step){'-', x.v[i++]};
        else if (j < y.n && come[j])
            *vec_add(a, &all) = (Step){'+', y.v[j++]};
        else {
            *vec_add(a, &all) = (Step){' ', x.v[i++]};
            j++;
        }
    }
    const char *signs[] = {"--- ", "+++ "};
    for (size_t i = 0; i < 2; i++) {
        term_begin(out, t, TERM_BOLD);
        buf_addz(out, signs[i]);
        term_text(out, t, TERM_PLAIN, i == 0 && !x.n ? STR("/dev/null") : str_of(name));
        term_end(out, t, TERM_BOLD);
        buf_addc(out, '\n');
    }
    add_hunks(out, t, &all);
}
