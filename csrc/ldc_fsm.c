/*
 * ldc_fsm.c - PS3.8 §9.2 as three tables: states, actions, cells.
 *
 * tools/draw_fsm.py reads the tables between the "clang-format off" marks: one row a line, as here.
 */
#include "ldc_fsm.h"

#include <stddef.h>
#include <stdint.h>

enum {
    STATES = LDC_STA13,
    EVENTS = LDC_EVT19,
    ACTIONS = LDC_AA_8
};

typedef struct named {
    const char *name, *text;
} named;

typedef struct action_row {
    const char *name, *text;
    uint8_t next,
        otherwise; /* states; `otherwise`, `effects_otherwise` when `fact` does not hold */
    uint8_t fact;  /* 0: always `next` */
    uint8_t effects, effects_otherwise;
} action_row;

/* clang-format off */

/* PS3.8 Tables 9-1 to 9-5 */
static const named states[STATES + 1] = {
    [LDC_STA1] = {"Sta1", "Idle"},
    [LDC_STA2] = {"Sta2", "Transport connection open (awaiting A-ASSOCIATE-RQ PDU)"},
    [LDC_STA3] = {"Sta3", "Awaiting local A-ASSOCIATE response primitive"},
    [LDC_STA4] = {"Sta4", "Awaiting transport connection opening to complete"},
    [LDC_STA5] = {"Sta5", "Awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ PDU"},
    [LDC_STA6] = {"Sta6", "Association established and ready for data transfer"},
    [LDC_STA7] = {"Sta7", "Awaiting A-RELEASE-RP PDU"},
    [LDC_STA8] = {"Sta8", "Awaiting local A-RELEASE response primitive"},
    [LDC_STA9] = {"Sta9", "Release collision, requestor side; awaiting A-RELEASE response primitive"},
    [LDC_STA10] = {"Sta10", "Release collision, acceptor side; awaiting A-RELEASE-RP PDU"},
    [LDC_STA11] = {"Sta11", "Release collision, requestor side; awaiting A-RELEASE-RP PDU"},
    [LDC_STA12] = {"Sta12", "Release collision, acceptor side; awaiting A-RELEASE response primitive"},
    [LDC_STA13] = {"Sta13", "Awaiting transport connection close (association no longer exists)"},
};

static const named events[EVENTS + 1] = {
    [LDC_EVT1] = {"Evt1", "A-ASSOCIATE request primitive"},
    [LDC_EVT2] = {"Evt2", "Transport connection confirmation"},
    [LDC_EVT3] = {"Evt3", "A-ASSOCIATE-AC PDU received"},
    [LDC_EVT4] = {"Evt4", "A-ASSOCIATE-RJ PDU received"},
    [LDC_EVT5] = {"Evt5", "Transport connection indication"},
    [LDC_EVT6] = {"Evt6", "A-ASSOCIATE-RQ PDU received"},
    [LDC_EVT7] = {"Evt7", "A-ASSOCIATE response primitive (accept)"},
    [LDC_EVT8] = {"Evt8", "A-ASSOCIATE response primitive (reject)"},
    [LDC_EVT9] = {"Evt9", "P-DATA request primitive"},
    [LDC_EVT10] = {"Evt10", "P-DATA-TF PDU received"},
    [LDC_EVT11] = {"Evt11", "A-RELEASE request primitive"},
    [LDC_EVT12] = {"Evt12", "A-RELEASE-RQ PDU received"},
    [LDC_EVT13] = {"Evt13", "A-RELEASE-RP PDU received"},
    [LDC_EVT14] = {"Evt14", "A-RELEASE response primitive"},
    [LDC_EVT15] = {"Evt15", "A-ABORT request primitive"},
    [LDC_EVT16] = {"Evt16", "A-ABORT PDU received"},
    [LDC_EVT17] = {"Evt17", "Transport connection closed indication"},
    [LDC_EVT18] = {"Evt18", "ARTIM timer expired"},
    [LDC_EVT19] = {"Evt19", "Unrecognized or invalid PDU received"},
};

#define STOP LDC_FSM_STOP_ARTIM
#define START LDC_FSM_START_ARTIM
#define CONNECT LDC_FSM_CONNECT
#define SEND LDC_FSM_SEND
#define TELL LDC_FSM_INDICATE
#define CLOSE LDC_FSM_CLOSE

/* PS3.8 Tables 9-6 to 9-9 */
static const action_row actions[ACTIONS + 1] = {
    [LDC_NONE] = {"-", "None", 0, 0, 0, 0, 0},
    [LDC_AE_1] = {"AE-1", "Open the transport connection", LDC_STA4, 0, 0, CONNECT, 0},
    [LDC_AE_2] = {"AE-2", "Send A-ASSOCIATE-RQ PDU", LDC_STA5, 0, 0, SEND, 0},
    [LDC_AE_3] = {"AE-3", "Issue A-ASSOCIATE confirmation (accept)", LDC_STA6, 0, 0, TELL, 0},
    [LDC_AE_4] = {"AE-4", "Issue A-ASSOCIATE confirmation (reject), close the transport connection", LDC_STA1, 0, 0, TELL | CLOSE, 0},
    [LDC_AE_5] = {"AE-5", "Accept the transport connection, start ARTIM", LDC_STA2, 0, 0, START, 0},
    [LDC_AE_6] = {"AE-6", "Stop ARTIM; if the request is acceptable issue A-ASSOCIATE indication, else send A-ASSOCIATE-RJ PDU and start ARTIM", LDC_STA3, LDC_STA13, LDC_FSM_ACCEPTABLE, STOP | TELL, STOP | SEND | START},
    [LDC_AE_7] = {"AE-7", "Send A-ASSOCIATE-AC PDU", LDC_STA6, 0, 0, SEND, 0},
    [LDC_AE_8] = {"AE-8", "Send A-ASSOCIATE-RJ PDU, start ARTIM", LDC_STA13, 0, 0, SEND | START, 0},
    [LDC_DT_1] = {"DT-1", "Send P-DATA-TF PDU", LDC_STA6, 0, 0, SEND, 0},
    [LDC_DT_2] = {"DT-2", "Issue P-DATA indication", LDC_STA6, 0, 0, TELL, 0},
    [LDC_AR_1] = {"AR-1", "Send A-RELEASE-RQ PDU", LDC_STA7, 0, 0, SEND, 0},
    [LDC_AR_2] = {"AR-2", "Issue A-RELEASE indication", LDC_STA8, 0, 0, TELL, 0},
    [LDC_AR_3] = {"AR-3", "Issue A-RELEASE confirmation, close the transport connection", LDC_STA1, 0, 0, TELL | CLOSE, 0},
    [LDC_AR_4] = {"AR-4", "Send A-RELEASE-RP PDU, start ARTIM", LDC_STA13, 0, 0, SEND | START, 0},
    [LDC_AR_5] = {"AR-5", "Stop ARTIM", LDC_STA1, 0, 0, STOP, 0},
    [LDC_AR_6] = {"AR-6", "Issue P-DATA indication", LDC_STA7, 0, 0, TELL, 0},
    [LDC_AR_7] = {"AR-7", "Send P-DATA-TF PDU", LDC_STA8, 0, 0, SEND, 0},
    [LDC_AR_8] = {"AR-8", "Issue A-RELEASE indication (release collision)", LDC_STA9, LDC_STA10, LDC_FSM_REQUESTOR, TELL, TELL},
    [LDC_AR_9] = {"AR-9", "Send A-RELEASE-RP PDU", LDC_STA11, 0, 0, SEND, 0},
    [LDC_AR_10] = {"AR-10", "Issue A-RELEASE confirmation", LDC_STA12, 0, 0, TELL, 0},
    [LDC_AA_1] = {"AA-1", "Send A-ABORT PDU (service-user source), start or restart ARTIM", LDC_STA13, 0, 0, SEND | START, 0},
    [LDC_AA_2] = {"AA-2", "Stop ARTIM if it runs, close the transport connection", LDC_STA1, 0, 0, STOP | CLOSE, 0},
    [LDC_AA_3] = {"AA-3", "Issue A-ABORT indication (from the service-user) or A-P-ABORT indication (from the service-provider), close the transport connection", LDC_STA1, 0, 0, TELL | CLOSE, 0},
    [LDC_AA_4] = {"AA-4", "Issue A-P-ABORT indication", LDC_STA1, 0, 0, TELL, 0},
    [LDC_AA_5] = {"AA-5", "Stop ARTIM", LDC_STA1, 0, 0, STOP, 0},
    [LDC_AA_6] = {"AA-6", "Ignore the PDU", LDC_STA13, 0, 0, 0, 0},
    [LDC_AA_7] = {"AA-7", "Send A-ABORT PDU", LDC_STA13, 0, 0, SEND, 0},
    [LDC_AA_8] = {"AA-8", "Send A-ABORT PDU (service-provider source), issue A-P-ABORT indication, start ARTIM", LDC_STA13, 0, 0, SEND | TELL | START, 0},
};

#define ROW(s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13)                                \
    {0, LDC_##s1, LDC_##s2, LDC_##s3, LDC_##s4, LDC_##s5, LDC_##s6, LDC_##s7, LDC_##s8, LDC_##s9,  \
     LDC_##s10, LDC_##s11, LDC_##s12, LDC_##s13}

/* PS3.8 Table 9-10 */
static const uint8_t cells[EVENTS + 1][STATES + 1] = {
    /*                Sta1  Sta2  Sta3  Sta4  Sta5  Sta6  Sta7  Sta8  Sta9  Sta10  Sta11 Sta12 Sta13 */
    [LDC_EVT1] = ROW( AE_1, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT2] = ROW( NONE, NONE, NONE, AE_2, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT3] = ROW( NONE, AA_1, AA_8, NONE, AE_3, AA_8, AA_8, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_6),
    [LDC_EVT4] = ROW( NONE, AA_1, AA_8, NONE, AE_4, AA_8, AA_8, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_6),
    [LDC_EVT5] = ROW( AE_5, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT6] = ROW( NONE, AE_6, AA_8, NONE, AA_8, AA_8, AA_8, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_7),
    [LDC_EVT7] = ROW( NONE, NONE, AE_7, NONE, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT8] = ROW( NONE, NONE, AE_8, NONE, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT9] = ROW( NONE, NONE, NONE, NONE, NONE, DT_1, NONE, AR_7, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT10] = ROW(NONE, AA_1, AA_8, NONE, AA_8, DT_2, AR_6, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_6),
    [LDC_EVT11] = ROW(NONE, NONE, NONE, NONE, NONE, AR_1, NONE, NONE, NONE, NONE,  NONE, NONE, NONE),
    [LDC_EVT12] = ROW(NONE, AA_1, AA_8, NONE, AA_8, AR_2, AR_8, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_6),
    [LDC_EVT13] = ROW(NONE, AA_1, AA_8, NONE, AA_8, AA_8, AR_3, AA_8, AA_8, AR_10, AR_3, AA_8, AA_6),
    [LDC_EVT14] = ROW(NONE, NONE, NONE, NONE, NONE, NONE, NONE, AR_4, AR_9, NONE,  NONE, AR_4, NONE),
    [LDC_EVT15] = ROW(NONE, NONE, AA_1, AA_2, AA_1, AA_1, AA_1, AA_1, AA_1, AA_1,  AA_1, AA_1, NONE),
    [LDC_EVT16] = ROW(NONE, AA_2, AA_3, NONE, AA_3, AA_3, AA_3, AA_3, AA_3, AA_3,  AA_3, AA_3, AA_2),
    [LDC_EVT17] = ROW(NONE, AA_5, AA_4, AA_4, AA_4, AA_4, AA_4, AA_4, AA_4, AA_4,  AA_4, AA_4, AR_5),
    [LDC_EVT18] = ROW(NONE, AA_2, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,  NONE, NONE, AA_2),
    [LDC_EVT19] = ROW(NONE, AA_1, AA_8, NONE, AA_8, AA_8, AA_8, AA_8, AA_8, AA_8,  AA_8, AA_8, AA_7),
};

/* clang-format on */

static bool is_state(ldc_fsm_state state)
{
    return (int)state >= LDC_STA1 && (int)state <= LDC_STA13;
}

static bool is_event(ldc_fsm_event event)
{
    return (int)event >= LDC_EVT1 && (int)event <= LDC_EVT19;
}

static bool is_action(ldc_fsm_action action)
{
    return (int)action >= LDC_NONE && (int)action <= LDC_AA_8;
}

bool ldc_fsm_is_local(ldc_fsm_event event)
{
    switch (event) {
    case LDC_EVT1:
    case LDC_EVT7:
    case LDC_EVT8:
    case LDC_EVT9:
    case LDC_EVT11:
    case LDC_EVT14:
    case LDC_EVT15:
        return true;
    default:
        return false;
    }
}

ldc_fsm_answer ldc_fsm_next(ldc_fsm_state state, ldc_fsm_event event, unsigned facts,
                            ldc_fsm_step *step)
{
    const action_row *row;
    bool holds;

    *step = (ldc_fsm_step){LDC_NONE, state, 0};
    if (!is_state(state) || !is_event(event))
        return LDC_FSM_MEANINGLESS;
    step->action = (ldc_fsm_action)cells[event][state];
    if (step->action == LDC_NONE)
        return ldc_fsm_is_local(event) ? LDC_FSM_REFUSED : LDC_FSM_MEANINGLESS;
    row = &actions[step->action];
    holds = row->fact == 0 || (facts & row->fact) != 0;
    step->next = (ldc_fsm_state)(holds ? row->next : row->otherwise);
    step->effects = holds ? row->effects : row->effects_otherwise;
    return LDC_FSM_GO;
}

const char *ldc_fsm_state_name(ldc_fsm_state state)
{
    return is_state(state) ? states[state].name : "?";
}

const char *ldc_fsm_state_text(ldc_fsm_state state)
{
    return is_state(state) ? states[state].text : "?";
}

const char *ldc_fsm_event_name(ldc_fsm_event event)
{
    return is_event(event) ? events[event].name : "?";
}

const char *ldc_fsm_event_text(ldc_fsm_event event)
{
    return is_event(event) ? events[event].text : "?";
}

const char *ldc_fsm_action_name(ldc_fsm_action action)
{
    return is_action(action) ? actions[action].name : "?";
}

const char *ldc_fsm_action_text(ldc_fsm_action action)
{
    return is_action(action) ? actions[action].text : "?";
}
