#include "gate/gate.h"

/* A variable that an agent sets; value NULL = any but empty, with `begins` only its beginning. */
typedef struct Mark {
    const char *agent, *variable, *value;
    bool begins;
} Mark;

static const Mark marks[] = {
    {"Claude Code", "CLAUDECODE", NULL, false},
    {"Codex CLI", "CODEX_THREAD_ID", NULL, false},
    {"Codex CLI", "CODEX_CI", NULL, false},
    {"Codex CLI", "CODEX_SANDBOX", NULL, false},
    {"Codex CLI", "CODEX_SANDBOX_NETWORK_DISABLED", NULL, false},
    {"Gemini CLI", "GEMINI_CLI", NULL, false},
    {"Qwen Code", "QWEN_CODE", NULL, false},
    {"Cursor", "CURSOR_AGENT", NULL, false},
    {"GitHub Copilot CLI", "COPILOT_CLI", NULL, false},
    {"GitHub Copilot", "COPILOT_AGENT_SESSION_ID", NULL, false},
    {"OpenCode", "OPENCODE", NULL, false},
    {"OpenCode", "OPENCODE_CLIENT", NULL, false},
    {"Cline", "CLINE_ACTIVE", NULL, false},
    {"Crush", "CRUSH", NULL, false},
    {"Aider", "OR_APP_NAME", "Aider", false},
    {"Augment Code", "AUGMENT_AGENT", NULL, false},
    {"Antigravity", "ANTIGRAVITY_AGENT", NULL, false},
    {"Replit Agent", "REPLIT_SESSION", "agent-", true},
    {"Goose", "AGENT", "goose", false},
    {"Amp", "AGENT", "amp", false},
    {"a coding agent", "AI_AGENT", NULL, false},
    {"a coding agent", "AGENT", NULL, false},
};

const char *
gate_agent(const char *(*get)(const char *name))
{
    for (size_t i = 0; i < COUNT(marks); i++) {
        const Mark *m = &marks[i];
        const char *value = get(m->variable);
        if (!value || !value[0])
            continue;
        if (!m->value || (m->begins ? str_starts(str_of(value), str_of(m->value))
                                    : strcmp(value, m->value) == 0))
            return m->agent;
    }
    return NULL;
}
