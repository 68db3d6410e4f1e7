/* What a command asks of its call: options, configuration, consent, what is printed. */
#include "cli/cli.h"

#include "cli/cli_int.h"
#include "base/fs.h"
#include "base/invariant.h"
#include "base/jw.h"
#include "base/os.h"
#include "report/error.h"
#include "report/finding.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
has_option(const OptSpec *list, const char *name)
{
    for (const OptSpec *o = list; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return true;
    return false;
}

/* By any command: one function may serve two commands with different options. */
static bool
is_declared(const CliTable *table, const char *name)
{
    if (has_option(table->globals, name))
        return true;
    for (const CmdSpec *const *c = table->commands; *c; c++)
        if (has_option((*c)->options, name))
            return true;
    return false;
}

static const OptValue *
find_given(const CmdCall *call, const char *name)
{
    vec_each (const OptValue, v, &call->options) {
        if (strcmp(v->spec->name, name) == 0)
            return v;
    }
    return NULL;
}

static const OptValue *
find_value(const CmdCall *call, const char *name)
{
    INVARIANT(is_declared(call->table, name),
              str_fmt(call->arena, "a command asks for --%s, which no command has", name));
    return find_given(call, name);
}

bool
cli_given(const CmdCall *call, const char *name)
{
    return find_value(call, name) != NULL;
}

bool
cli_flag(const CmdCall *call, const char *name)
{
    const OptValue *v = find_value(call, name);
    return v && v->number != 0;
}

const char *
cli_text(const CmdCall *call, const char *name)
{
    const OptValue *v = find_value(call, name);
    return v ? v->text : NULL;
}

int64_t
cli_number(const CmdCall *call, const char *name, int64_t otherwise)
{
    const OptValue *v = find_value(call, name);
    return v ? v->number : otherwise;
}

const char *
cli_arg(const CmdCall *call, size_t index)
{
    return index < call->args.n ? call->args.v[index] : NULL;
}

static ConfigRequest
config_request(const CmdCall *call)
{
    VEC(ConfigFlag) flags = {0};
    vec_each (const OptValue, v, &call->options) {
        if (!v->spec->config || (v->spec->type != OPT_FLAG && !v->text))
            continue;
        const char *value = v->spec->type == OPT_FLAG ? (v->number ? "true" : "false") : v->text;
        *vec_add(call->arena, &flags) = (ConfigFlag){
            .key = (ConfigKey)(v->spec->config - 1), .flag = v->spelling, .value = value};
    }
    return (ConfigRequest){
        .start_dir = ".",
        .env_name = cli_text(call, "env"),
        .config_path = cli_text(call, "config"),
        .schema_path = cli_text(call, "schema"),
        .flags = flags.v,
        .flag_count = flags.n,
    };
}

static char *
hide_secrets(void *arg, Arena *a, Str text)
{
    const CmdCall *call = arg;
    return url_redact(a, text, call->secrets.v, call->secrets.n);
}

/* One trace for a call, also when it loads several configurations. */
static bool
open_trace(CmdCall *call, Config *config, Err *err)
{
    const char *path = config->values[CFG_TRACE].text;
    if (path && !call->trace) {
        Trace *t = arena_new(call->arena, Trace);
        if (!trace_open(path, hide_secrets, call, t, err))
            return false;
        call->trace = t;
    }
    config->trace = call->trace;
    return true;
}

/* GitHub's runner hides the secrets that it knows; not a password that stands in the middle of one, nor what
 * a file of the project holds. It reads this from the streams of a step, so never into a file.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands */
static void
mask_for_actions(const CmdCall *call, const Config *c)
{
    const char *actions = os_env("GITHUB_ACTIONS");
    struct stat st;
    if (call->secrets.n || !actions || strcmp(actions, "true") != 0 || !os_env("GITHUB_RUN_ID") ||
        fstat(fileno(call->err), &st) != 0 || S_ISREG(st.st_mode))
        return;
    vec_each (const char *const, s, &c->secrets) {
        if (strpbrk(*s, "\r\n")) /* each of its lines is a secret of its own */
            continue;
        fputs("::add-mask::", call->err);
        for (const char *at = *s; *at; at++)
            fputs(*at == '%' ? "%25" : (char[]){*at, 0}, call->err);
        fputc('\n', call->err);
    }
    fflush(call->err);
}

static bool
load(CmdCall *call, const ConfigRequest *request, Config *ret, Err *err)
{
    if (!config_load(call->arena, request, ret, err))
        return false;
    mask_for_actions(call, ret);
    vec_each (const char *const, s, &ret->secrets)
        *vec_add(call->arena, &call->secrets) = *s;
    return open_trace(call, ret, err);
}

static void
take_option_secrets(CmdCall *call)
{
    vec_each (const OptValue, v, &call->options)
        if (v->spec->type == OPT_URL)
            url_add_secrets(call->arena, v->text, &call->secrets);
}

bool
cli_load_config(CmdCall *call, Config *ret, Err *err)
{
    take_option_secrets(call);
    ConfigRequest request = config_request(call);
    return load(call, &request, ret, err);
}

void
cli_note_target(const CmdCall *call, const Config *c)
{
    vec_each (const Finding, f, &c->findings.items)
        if (f->id == FINDING_CONFIG_OTHER_URL)
            cli_tell_finding(call, f);
}

bool
cli_load_config_to_look(CmdCall *call, ConfigRequest *request, ConfigProblems *problems,
                        Config *ret, Err *err)
{
    take_option_secrets(call);
    *request = config_request(call);
    request->problems = problems;
    return load(call, request, ret, err);
}

bool
cli_load_config_of(CmdCall *call, const char *schema, Config *ret, Err *err)
{
    ConfigRequest request = config_request(call);
    request.schema_path = schema;
    return load(call, &request, ret, err);
}

bool
cli_load_config_for(CmdCall *call, const char *env, Config *ret, Err *err)
{
    take_option_secrets(call);
    ConfigRequest request = config_request(call);
    request.env_name = env;
    return load(call, &request, ret, err);
}

FlowInput
cli_flow_input(const CmdCall *call, const Config *config)
{
    return (FlowInput){.config = config,
                       .self_exe = cli_self_exe(call),
                       .tick = cli_tick,
                       .yes = cli_flag(call, "yes"),
                       .can_ask = cli_can_ask(call)};
}

bool
cli_find_twin(const CmdCall *call, const Config *config, ConfigTwin *ret)
{
    ConfigRequest request = config_request(call);
    return config_find_twin(call->arena, &request, config, ret);
}

const char *
cli_self_exe(const CmdCall *call)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    return n > 0 ? str_dup(call->arena, (Str){path, (size_t)n}) : "aramid";
}

const char *
cli_shown_path(Arena *a, const char *path)
{
    return fs_below(fs_absolute(a, "."), path);
}

Str
cli_hidden(const CmdCall *call, const Buf *text)
{
    Str shown = buf_str(text);
    return call->secrets.n ? url_hide(call->arena, shown, call->secrets.v, call->secrets.n) : shown;
}

bool
cli_only_reports(const CmdCall *call)
{
    const CmdSpec *s = call->spec;
    return s && (s->class > CMD_WRITES_FILES ||
                 (s->class == CMD_WRITES_FILES && s->group == CMD_GROUP_BACKUP));
}

/* What a command has changed is told somewhere, also where nobody takes its output. */
static void
print(const CmdCall *call, Str text)
{
    bool good = fwrite(text.p, 1, text.n, call->out) == text.n;
    if ((good && fflush(call->out) == 0) || !call->spec || call->spec->class <= CMD_READS)
        return;
    fprintf(call->err, "warning: standard output cannot be written (%s); it was to say:\n",
            strerror(errno));
    fwrite(text.p, 1, text.n, call->err);
}

void
cli_print(const CmdCall *call, const Buf *text)
{
    Str shown = cli_hidden(call, text);
    if (cli_flag(call, "json")) {
        shown = cli_again_json(call->arena, call, shown);
    } else {
        Buf lines;
        buf_init(&lines, call->arena);
        term_break(&lines, &call->term_out, cli_again(call->arena, call, shown));
        shown = buf_str(&lines);
    }
    print(call, shown);
}

void
cli_tell(const CmdCall *call, const Buf *text)
{
    if (!cli_flag(call, "quiet"))
        fputs(str_dup(call->arena, cli_again(call->arena, call, cli_hidden(call, text))),
              call->err);
}

CliAnswer
cli_answer(const CmdCall *call)
{
    CliAnswer answer = {.is_json = cli_flag(call, "json")};
    buf_init(&answer.text, call->arena);
    jw_init(&answer.json, call->arena, true);
    return answer;
}

void
cli_answer_print(const CmdCall *call, const CliAnswer *answer)
{
    cli_print(call, answer->is_json ? &answer->json.out : &answer->text);
}

void
cli_print_exactly(const CmdCall *call, Str text)
{
    if (call->term_out.is_tty)
        text = str_of(str_printable(call->arena, text, true));
    print(call, text);
}

static void
hide(const CmdCall *call, char *text, size_t size)
{
    snprintf(text, size, "%s",
             url_redact(call->arena, str_of(text), call->secrets.v, call->secrets.n));
}

void
cli_finish_error(const CmdCall *call, Err *err)
{
    Str hint = cli_again(call->arena, call, str_of(err->hint));
    snprintf(err->hint, sizeof err->hint, STR_FMT, STR_ARG(hint));
    hide(call, err->primary, sizeof err->primary);
    hide(call, err->detail, sizeof err->detail);
    hide(call, err->hint, sizeof err->hint);
    hide(call, err->at.path, sizeof err->at.path);
}

bool
cli_tick(void *unused, int64_t elapsed_ms)
{
    (void)unused;
    (void)elapsed_ms;
    return os_signal_pending() == 0;
}

void
cli_note(const CmdCall *call, const char *fmt, ...)
{
    if (cli_flag(call, "quiet"))
        return;
    va_list ap;
    va_start(ap, fmt);
    char *text = str_vfmt(call->arena, fmt, ap);
    va_end(ap);
    bool ends = *text && text[strlen(text) - 1] == '\n';
    fprintf(call->err, "%s%s", str_printable(call->arena, str_of(text), true), ends ? "" : "\n");
}

static bool
not_confirmed(Err *err)
{
    return err_set(err, ERR_CONFIRM, "not confirmed; nothing was changed");
}

bool
cli_can_ask(const CmdCall *call)
{
    return call->term_err.is_tty && isatty(STDIN_FILENO) && !cli_flag(call, "json");
}

bool
cli_ask(const CmdCall *call, const char *question, Str *ret, Err *err)
{
    fputs(str_printable(call->arena, str_of(question), true), call->err);
    fflush(call->err);
    /* A signal that comes before a blocking read would not end it. */
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    while (!os_signal_pending() && poll(&in, 1, 100) <= 0)
        ;
    if (os_signal_pending())
        return err_set(err, ERR_INTERRUPTED, "interrupted at the question; nothing was changed");
    char line[256];
    if (!fgets(line, sizeof line, stdin))
        return not_confirmed(err);
    *ret = str_trim(str_copy(call->arena, str_of(line)));
    return true;
}

bool
cli_ask_name(const CmdCall *call, const char *question, const char *database, Err *err)
{
    Str answer;
    return cli_ask(call,
                   str_fmt(call->arena, "%s\nType the name of the database to go on: ", question),
                   &answer, err) &&
           (str_is(answer, database) || not_confirmed(err));
}

bool
cli_confirm(const CmdCall *call, const char *question, const char *what, const char *again,
            Err *err)
{
    if (cli_flag(call, "yes"))
        return true;
    if (!cli_can_ask(call)) {
        err_set(err, ERR_CONFIRM, "%s needs a confirmation", what);
        return err_hint(err, "%s", again);
    }
    Str answer;
    if (!cli_ask(call, str_fmt(call->arena, "%s [y/N] ", question), &answer, err))
        return false;
    return str_ieq(answer, STR("y")) || str_ieq(answer, STR("yes")) || not_confirmed(err);
}

int
cli_status(const CmdCall *call, const Err *err)
{
    int status = err_exit_status(err);
    bool only_one = call->spec && (call->spec->prisma_status || find_given(call, "exit-code"));
    return only_one && status < 128 ? 1 : status;
}

void
cli_tell_finding(const CmdCall *call, const Finding *f)
{
    Buf b;
    buf_init(&b, call->arena);
    finding_text(&b, &call->term_err, f, 0);
    cli_tell(call, &b);
}

int
cli_findings_status(const CmdCall *call, const FindingList *list)
{
    Err err;
    return findings_pass(list, &err) ? 0 : cli_status(call, &err);
}

int
cli_fail_usage(const CmdCall *call, const Err *err, const char *usage, bool json)
{
    Err shown = *err;
    cli_finish_error(call, &shown);
    Buf text;
    buf_init(&text, call->arena);
    error_text(&text, &call->term_err, &shown);
    if (usage)
        buf_fmt(&text, "Usage: %s\n", usage);
    fwrite(text.p, 1, text.n, call->err);
    if (json) {
        JsonWriter w;
        jw_init(&w, call->arena, true);
        jw_object(&w, NULL);
        error_json(&w, "error", &shown);
        jw_end(&w);
        cli_print(call, &w.out);
    }
    return cli_status(call, &shown);
}

int
cli_fail(const CmdCall *call, const Err *err)
{
    return cli_fail_usage(call, err, NULL, cli_flag(call, "json"));
}
