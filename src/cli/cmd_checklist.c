/* checklist, evidence, evidence add. */
#include "cli/commands.h"
#include "cli/run.h"

#include "base/os.h"
#include "report/ready.h"

/* What hooks say is no part of a list. */
static void
on_event(void *arg, const RunEvent *e)
{
    (void)arg, (void)e;
}

static ChecklistPhase
phase_of(const CmdCall *call, const Config *c)
{
    const char *word = cli_text(call, "phase");
    for (int p = CHECKLIST_PRE; word && p <= CHECKLIST_POST; p++)
        if (strcmp(word, checklist_phase_name((ChecklistPhase)p)) == 0)
            return (ChecklistPhase)p;
    return c->profile == PROFILE_DEVELOPMENT ? CHECKLIST_PRE : CHECKLIST_PRODUCTION;
}

int
cmd_checklist(CmdCall *call)
{
    os_signals_catch();
    Config config;
    Err err;
    ChecklistResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const ChecklistInput in = {.base = cli_flow_input(call, &config),
                               .sink = {.event = on_event},
                               .phase = phase_of(call, &config)};
    if (!flow_checklist(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_checklist_json(&out.json, &r);
    else
        report_checklist_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return r.missing ? err_info(ERR_NOT_READY)->exit_status : 0;
}

static int
evidence(CmdCall *call, const char *kind)
{
    os_signals_catch();
    Config config;
    Err err;
    EvidenceResult r;
    if (!cli_load_config(call, &config, &err))
        return cli_fail(call, &err);
    const EvidenceInput in = {.base = cli_flow_input(call, &config),
                              .kind = kind,
                              .file = kind ? cli_text(call, "file") : NULL,
                              .ok = kind && cli_flag(call, "ok"),
                              .by = kind ? cli_text(call, "by") : NULL,
                              .note = kind ? cli_text(call, "note") : NULL};
    if (!flow_evidence_add(call->arena, &in, &r, &err))
        return cli_fail(call, &err);
    CliAnswer out = cli_answer(call);
    if (out.is_json)
        report_evidence_json(&out.json, &r);
    else
        report_evidence_text(&out.text, &call->term_out, &r);
    cli_answer_print(call, &out);
    return 0;
}

int
cmd_evidence(CmdCall *call)
{
    return evidence(call, NULL);
}

int
cmd_evidence_add(CmdCall *call)
{
    const char *kind = cli_arg(call, 0);
    static const char *const kinds[] = {"applied",   "tests", "rollback",
                                        "rehearsal", "drill", "approval"};
    bool known = strncmp(kind, "tick:", 5) == 0 && kind[5];
    for (size_t i = 0; i < COUNT(kinds); i++)
        known = known || strcmp(kind, kinds[i]) == 0;
    if (known)
        return evidence(call, kind);
    Err err;
    err_set(&err, ERR_USAGE, "there is no evidence called \"%s\"",
            str_printable(call->arena, str_of(kind), false));
    err_hint(&err, "applied, tests, rollback, rehearsal, drill, approval, or tick:WORDS for what a "
                   "person has looked at");
    return cli_fail(call, &err);
}
