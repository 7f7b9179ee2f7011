/*
 * ldc_fsm.h - the state table of the DICOM upper layer (PS3.8 §9.2, Tables 9-6 to 9-10) as data.
 *
 * The one rule: names and cells are those of the standard, so that a log line, a test and a page of
 * PS3.8 can be laid side by side. Nothing is done here: ldc_fsm_next() says which action is due,
 * the caller does it and goes to the next state. The picture is docs/state-table.md, drawn from
 * ldc_fsm.c by tools/draw_fsm.py.
 *
 * Pure: read-only data, any thread, nothing allocated.
 */
#ifndef LDC_FSM_H
#define LDC_FSM_H

#include <stdbool.h>

typedef enum ldc_fsm_state {
    LDC_STA1 = 1, /* idle */
    LDC_STA2,     /* transport open, awaiting A-ASSOCIATE-RQ */
    LDC_STA3,     /* awaiting the local A-ASSOCIATE response */
    LDC_STA4,     /* awaiting the opening of the transport */
    LDC_STA5,     /* awaiting A-ASSOCIATE-AC or -RJ */
    LDC_STA6,     /* associated */
    LDC_STA7,     /* awaiting A-RELEASE-RP */
    LDC_STA8,     /* awaiting the local A-RELEASE response */
    LDC_STA9,     /* collision, requestor; awaiting the local A-RELEASE response */
    LDC_STA10,    /* collision, acceptor; awaiting A-RELEASE-RP */
    LDC_STA11,    /* collision, requestor; awaiting A-RELEASE-RP */
    LDC_STA12,    /* collision, acceptor; awaiting the local A-RELEASE response */
    LDC_STA13     /* awaiting the close of the transport */
} ldc_fsm_state;

typedef enum ldc_fsm_event {
    LDC_EVT1 = 1, /* local: A-ASSOCIATE request */
    LDC_EVT2,     /* transport connected */
    LDC_EVT3,     /* A-ASSOCIATE-AC received */
    LDC_EVT4,     /* A-ASSOCIATE-RJ received */
    LDC_EVT5,     /* transport accepted */
    LDC_EVT6,     /* A-ASSOCIATE-RQ received */
    LDC_EVT7,     /* local: A-ASSOCIATE response, accept */
    LDC_EVT8,     /* local: A-ASSOCIATE response, reject */
    LDC_EVT9,     /* local: P-DATA request */
    LDC_EVT10,    /* P-DATA-TF received */
    LDC_EVT11,    /* local: A-RELEASE request */
    LDC_EVT12,    /* A-RELEASE-RQ received */
    LDC_EVT13,    /* A-RELEASE-RP received */
    LDC_EVT14,    /* local: A-RELEASE response */
    LDC_EVT15,    /* local: A-ABORT request */
    LDC_EVT16,    /* A-ABORT received */
    LDC_EVT17,    /* transport closed */
    LDC_EVT18,    /* ARTIM expired */
    LDC_EVT19     /* unrecognized or invalid PDU received */
} ldc_fsm_event;

typedef enum ldc_fsm_action {
    LDC_NONE, /* an empty cell */
    LDC_AE_1,
    LDC_AE_2,
    LDC_AE_3,
    LDC_AE_4,
    LDC_AE_5,
    LDC_AE_6,
    LDC_AE_7,
    LDC_AE_8,
    LDC_DT_1,
    LDC_DT_2,
    LDC_AR_1,
    LDC_AR_2,
    LDC_AR_3,
    LDC_AR_4,
    LDC_AR_5,
    LDC_AR_6,
    LDC_AR_7,
    LDC_AR_8,
    LDC_AR_9,
    LDC_AR_10,
    LDC_AA_1,
    LDC_AA_2,
    LDC_AA_3,
    LDC_AA_4,
    LDC_AA_5,
    LDC_AA_6,
    LDC_AA_7,
    LDC_AA_8
} ldc_fsm_action;

/* What the caller has to do for an action, in the order of these bits. */
enum {
    LDC_FSM_STOP_ARTIM = 0x01,  /* if it runs */
    LDC_FSM_CONNECT = 0x02,     /* open the transport */
    LDC_FSM_SEND = 0x04,        /* send the action's PDU; the action tells which */
    LDC_FSM_INDICATE = 0x08,    /* tell the local user: indication or confirmation */
    LDC_FSM_START_ARTIM = 0x10, /* from the beginning if it runs */
    LDC_FSM_CLOSE = 0x20        /* close the transport */
};

/* What decides between the two next states of AE-6 and AR-8; other cells do not look at it. */
enum {
    LDC_FSM_ACCEPTABLE = 0x01, /* AE-6: the provider has nothing against the A-ASSOCIATE-RQ: Sta3,
                                  not A-ASSOCIATE-RJ and Sta13 */
    LDC_FSM_REQUESTOR = 0x02   /* AR-8: this side requested the association: Sta9, not Sta10 */
};

typedef enum ldc_fsm_answer {
    LDC_FSM_GO,         /* do the action, go to the next state */
    LDC_FSM_REFUSED,    /* a local primitive that has no place in this state: the caller's caller
                           gets DICOM_ERROR_INVALID_STATE, nothing changes */
    LDC_FSM_MEANINGLESS /* an event that the standard leaves out here because it cannot happen: a
                           PDU without a transport, a second close, ARTIM while it does not run. It
                           is a late one: drop it */
} ldc_fsm_answer;

typedef struct ldc_fsm_step {
    ldc_fsm_action action; /* LDC_NONE unless LDC_FSM_GO */
    ldc_fsm_state next;    /* the same state unless LDC_FSM_GO */
    unsigned effects;      /* LDC_FSM_STOP_ARTIM ...; AE-6 has two sets */
} ldc_fsm_step;

/* Looks a cell up. `facts`: LDC_FSM_ACCEPTABLE and LDC_FSM_REQUESTOR. `*step` is always set. A
 * state or event outside the enums is LDC_FSM_MEANINGLESS. */
ldc_fsm_answer ldc_fsm_next(ldc_fsm_state state, ldc_fsm_event event, unsigned facts,
                            ldc_fsm_step *step);

/* Whether the event is a primitive of the local user: Evt1, 7, 8, 9, 11, 14, 15. */
bool ldc_fsm_is_local(ldc_fsm_event event);

/* For logs. Names as in the standard: "Sta6", "Evt10", "DT-2" ("-" for LDC_NONE); texts are one
 * line. Never NULL: "?" for a number outside the enum. */
const char *ldc_fsm_state_name(ldc_fsm_state state);
const char *ldc_fsm_state_text(ldc_fsm_state state);
const char *ldc_fsm_event_name(ldc_fsm_event event);
const char *ldc_fsm_event_text(ldc_fsm_event event);
const char *ldc_fsm_action_name(ldc_fsm_action action);
const char *ldc_fsm_action_text(ldc_fsm_action action);

#endif
