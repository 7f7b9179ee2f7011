/*
 * Unit tests of the state table (ldc_fsm.h).
 *
 * The second table below was typed from PS3.8 Table 9-10, cell by cell with its next state, not
 * copied from ldc_fsm.c: two typing errors would have to agree to go unseen.
 */
#include "ldc_fsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* clang-format off */

/* Rows by state, as nobody else writes it; "AE-6:3/13" = with and without the fact; "" = empty. */
static const char *const standard[13][19] = {
    /* Evt1, Evt2, Evt3, Evt4 | Evt5, Evt6, Evt7, Evt8 | Evt9, Evt10, Evt11, Evt12 | Evt13, Evt14, Evt15, Evt16 | Evt17, Evt18, Evt19 */
    /* Sta1 */
    {"AE-1:4", "", "", "",  "AE-5:2", "", "", "",  "", "", "", "",  "", "", "", "",  "", "", ""},
    /* Sta2 */
    {"", "", "AA-1:13", "AA-1:13",  "", "AE-6:3/13", "", "",  "", "AA-1:13", "", "AA-1:13",
     "AA-1:13", "", "", "AA-2:1",  "AA-5:1", "AA-2:1", "AA-1:13"},
    /* Sta3 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "AE-7:6", "AE-8:13",  "", "AA-8:13", "", "AA-8:13",
     "AA-8:13", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta4 */
    {"", "AE-2:5", "", "",  "", "", "", "",  "", "", "", "",  "", "", "AA-2:1", "",  "AA-4:1", "", ""},
    /* Sta5 */
    {"", "", "AE-3:6", "AE-4:1",  "", "AA-8:13", "", "",  "", "AA-8:13", "", "AA-8:13",
     "AA-8:13", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta6 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "DT-1:6", "DT-2:6", "AR-1:7", "AR-2:8",
     "AA-8:13", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta7 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "", "AR-6:7", "", "AR-8:9/10",
     "AR-3:1", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta8 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "AR-7:8", "AA-8:13", "", "AA-8:13",
     "AA-8:13", "AR-4:13", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta9 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "", "AA-8:13", "", "AA-8:13",
     "AA-8:13", "AR-9:11", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta10 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "", "AA-8:13", "", "AA-8:13",
     "AR-10:12", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta11 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "", "AA-8:13", "", "AA-8:13",
     "AR-3:1", "", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta12 */
    {"", "", "AA-8:13", "AA-8:13",  "", "AA-8:13", "", "",  "", "AA-8:13", "", "AA-8:13",
     "AA-8:13", "AR-4:13", "AA-1:13", "AA-3:1",  "AA-4:1", "", "AA-8:13"},
    /* Sta13 */
    {"", "", "AA-6:13", "AA-6:13",  "", "AA-7:13", "", "",  "", "AA-6:13", "", "AA-6:13",
     "AA-6:13", "", "", "AA-2:1",  "AR-5:1", "AA-2:1", "AA-7:13"},
};

/* clang-format on */

/* One cell as the library has it, in the form of the table above. */
static void cell(ldc_fsm_state state, ldc_fsm_event event, char *text, size_t size)
{
    ldc_fsm_step with, without;

    text[0] = '\0';
    if (ldc_fsm_next(state, event, ~0u, &with) != LDC_FSM_GO)
        return;
    CHECK_INT(ldc_fsm_next(state, event, 0, &without), LDC_FSM_GO);
    CHECK_INT(without.action, with.action);
    if (with.next == without.next)
        snprintf(text, size, "%s:%d", ldc_fsm_action_name(with.action), with.next);
    else
        snprintf(text, size, "%s:%d/%d", ldc_fsm_action_name(with.action), with.next, without.next);
}

TEST(every_cell_is_that_of_the_standard)
{
    int state, event, full = 0;

    for (state = LDC_STA1; state <= LDC_STA13; state++) {
        for (event = LDC_EVT1; event <= LDC_EVT19; event++) {
            char text[32];

            cell((ldc_fsm_state)state, (ldc_fsm_event)event, text, sizeof text);
            if (!CHECK_STR(text, standard[state - 1][event - 1]))
                printf("    in Sta%d, Evt%d\n", state, event);
            full += text[0] != '\0';
        }
    }
    CHECK_INT(full, 123);
}

TEST(an_empty_cell_refuses_a_local_primitive_and_drops_any_other_event)
{
    static const int local[] = {1, 7, 8, 9, 11, 14, 15};
    int state, event;

    for (state = LDC_STA1; state <= LDC_STA13; state++) {
        for (event = LDC_EVT1; event <= LDC_EVT19; event++) {
            ldc_fsm_step step = {LDC_AA_8, LDC_STA1, ~0u};
            bool is_local = false;
            size_t i;

            for (i = 0; i < sizeof local / sizeof *local; i++)
                is_local = is_local || local[i] == event;
            CHECK_INT(ldc_fsm_is_local((ldc_fsm_event)event), is_local);
            if (standard[state - 1][event - 1][0] != '\0')
                continue;
            CHECK_INT(ldc_fsm_next((ldc_fsm_state)state, (ldc_fsm_event)event, 0, &step),
                      is_local ? LDC_FSM_REFUSED : LDC_FSM_MEANINGLESS);
            CHECK_INT(step.action, LDC_NONE);
            CHECK_INT(step.next, state);
            CHECK_INT(step.effects, 0);
        }
    }
}

TEST(numbers_outside_the_enums_are_meaningless_and_have_no_name)
{
    static const int wrong[] = {-1, 0, 20, 255, 1 << 20};
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ldc_fsm_step step;

        CHECK_INT(ldc_fsm_next((ldc_fsm_state)wrong[i], LDC_EVT1, 0, &step), LDC_FSM_MEANINGLESS);
        CHECK_INT(ldc_fsm_next(LDC_STA1, (ldc_fsm_event)wrong[i], 0, &step), LDC_FSM_MEANINGLESS);
        CHECK_STR(ldc_fsm_state_name((ldc_fsm_state)wrong[i]), "?");
        CHECK_STR(ldc_fsm_state_text((ldc_fsm_state)wrong[i]), "?");
        CHECK_STR(ldc_fsm_event_name((ldc_fsm_event)wrong[i]), "?");
        CHECK_STR(ldc_fsm_event_text((ldc_fsm_event)wrong[i]), "?");
    }
    CHECK_STR(ldc_fsm_action_name((ldc_fsm_action)29), "?");
    CHECK_STR(ldc_fsm_action_text((ldc_fsm_action)-1), "?");
}

TEST(names_are_those_of_the_standard)
{
    static const char *const actions[] = {
        "-",     "AE-1", "AE-2", "AE-3", "AE-4", "AE-5", "AE-6", "AE-7", "AE-8", "DT-1",
        "DT-2",  "AR-1", "AR-2", "AR-3", "AR-4", "AR-5", "AR-6", "AR-7", "AR-8", "AR-9",
        "AR-10", "AA-1", "AA-2", "AA-3", "AA-4", "AA-5", "AA-6", "AA-7", "AA-8"};
    char name[24];
    int i;

    for (i = 1; i <= 13; i++) {
        snprintf(name, sizeof name, "Sta%d", i);
        CHECK_STR(ldc_fsm_state_name((ldc_fsm_state)i), name);
        CHECK(strlen(ldc_fsm_state_text((ldc_fsm_state)i)) > 3);
    }
    for (i = 1; i <= 19; i++) {
        snprintf(name, sizeof name, "Evt%d", i);
        CHECK_STR(ldc_fsm_event_name((ldc_fsm_event)i), name);
        CHECK(strlen(ldc_fsm_event_text((ldc_fsm_event)i)) > 3);
    }
    for (i = 0; i <= 28; i++) {
        CHECK_STR(ldc_fsm_action_name((ldc_fsm_action)i), actions[i]);
        CHECK(strlen(ldc_fsm_action_text((ldc_fsm_action)i)) > 3);
    }
}

/* ---- walks ---- */

typedef struct walker {
    ldc_fsm_state state;
    unsigned facts;
    bool artim;
} walker;

/* One event; checks the action, and that ARTIM is started and stopped in pairs. */
static void go(walker *side, ldc_fsm_event event, const char *action, ldc_fsm_state next)
{
    ldc_fsm_step step;

    CHECK_INT(ldc_fsm_next(side->state, event, side->facts, &step), LDC_FSM_GO);
    CHECK_STR(ldc_fsm_action_name(step.action), action);
    CHECK_INT(step.next, next);
    if (event == LDC_EVT18 && CHECK(side->artim))
        side->artim = false;
    if (step.effects & LDC_FSM_STOP_ARTIM)
        side->artim = false;
    if (step.effects & LDC_FSM_START_ARTIM)
        side->artim = true;
    side->state = step.next;
    /* PS3.8 §9.1.5: it runs while the transport is open and there is no association */
    CHECK_INT(side->artim, side->state == LDC_STA2 || side->state == LDC_STA13);
}

static walker requestor(ldc_fsm_state upto)
{
    walker side = {LDC_STA1, LDC_FSM_REQUESTOR | LDC_FSM_ACCEPTABLE, false};

    go(&side, LDC_EVT1, "AE-1", LDC_STA4);
    if (upto == LDC_STA4)
        return side;
    go(&side, LDC_EVT2, "AE-2", LDC_STA5);
    if (upto != LDC_STA5)
        go(&side, LDC_EVT3, "AE-3", LDC_STA6);
    return side;
}

static walker acceptor(ldc_fsm_state upto)
{
    walker side = {LDC_STA1, LDC_FSM_ACCEPTABLE, false};

    go(&side, LDC_EVT5, "AE-5", LDC_STA2);
    if (upto == LDC_STA2)
        return side;
    go(&side, LDC_EVT6, "AE-6", LDC_STA3);
    if (upto != LDC_STA3)
        go(&side, LDC_EVT7, "AE-7", LDC_STA6);
    return side;
}

TEST(a_normal_association_ends_with_both_sides_idle)
{
    walker scu = requestor(LDC_STA6), scp = acceptor(LDC_STA6);

    go(&scu, LDC_EVT9, "DT-1", LDC_STA6);
    go(&scp, LDC_EVT10, "DT-2", LDC_STA6);
    go(&scp, LDC_EVT9, "DT-1", LDC_STA6);
    go(&scu, LDC_EVT10, "DT-2", LDC_STA6);
    go(&scu, LDC_EVT11, "AR-1", LDC_STA7);
    go(&scp, LDC_EVT12, "AR-2", LDC_STA8);
    go(&scp, LDC_EVT9, "AR-7", LDC_STA8); /* still sending what was asked for */
    go(&scu, LDC_EVT10, "AR-6", LDC_STA7);
    go(&scp, LDC_EVT14, "AR-4", LDC_STA13);
    go(&scu, LDC_EVT13, "AR-3", LDC_STA1);
    go(&scp, LDC_EVT17, "AR-5", LDC_STA1);
}

TEST(a_rejection_by_the_user_ends_with_both_sides_idle)
{
    walker scu = requestor(LDC_STA5), scp = acceptor(LDC_STA3);

    go(&scp, LDC_EVT8, "AE-8", LDC_STA13);
    go(&scu, LDC_EVT4, "AE-4", LDC_STA1);
    go(&scp, LDC_EVT17, "AR-5", LDC_STA1);
}

TEST(a_rejection_by_the_provider_restarts_artim)
{
    walker scp = acceptor(LDC_STA2);
    ldc_fsm_step step;

    scp.facts = 0;
    CHECK_INT(ldc_fsm_next(LDC_STA2, LDC_EVT6, 0, &step), LDC_FSM_GO);
    CHECK_INT(step.effects, LDC_FSM_STOP_ARTIM | LDC_FSM_SEND | LDC_FSM_START_ARTIM);
    CHECK_INT(ldc_fsm_next(LDC_STA2, LDC_EVT6, LDC_FSM_ACCEPTABLE, &step), LDC_FSM_GO);
    CHECK_INT(step.effects, LDC_FSM_STOP_ARTIM | LDC_FSM_INDICATE);
    go(&scp, LDC_EVT6, "AE-6", LDC_STA13);
    go(&scp, LDC_EVT17, "AR-5", LDC_STA1);
}

TEST(a_release_collision_ends_with_both_sides_idle)
{
    walker scu = requestor(LDC_STA6), scp = acceptor(LDC_STA6);

    go(&scu, LDC_EVT11, "AR-1", LDC_STA7);
    go(&scp, LDC_EVT11, "AR-1", LDC_STA7);
    go(&scu, LDC_EVT12, "AR-8", LDC_STA9);
    go(&scp, LDC_EVT12, "AR-8", LDC_STA10);
    go(&scu, LDC_EVT14, "AR-9", LDC_STA11); /* the requestor answers first */
    go(&scp, LDC_EVT13, "AR-10", LDC_STA12);
    go(&scp, LDC_EVT14, "AR-4", LDC_STA13);
    go(&scu, LDC_EVT13, "AR-3", LDC_STA1);
    go(&scp, LDC_EVT17, "AR-5", LDC_STA1);
}

TEST(the_acceptor_of_a_collision_may_not_answer_before_it_was_answered)
{
    ldc_fsm_step step;

    CHECK_INT(ldc_fsm_next(LDC_STA10, LDC_EVT14, 0, &step), LDC_FSM_REFUSED);
    CHECK_INT(ldc_fsm_next(LDC_STA11, LDC_EVT14, LDC_FSM_REQUESTOR, &step), LDC_FSM_REFUSED);
}

/* Brings a side into each state that has a transport. */
static walker in_state(ldc_fsm_state state)
{
    walker side;

    switch (state) {
    case LDC_STA2:
    case LDC_STA3:
        return acceptor(state);
    case LDC_STA4:
    case LDC_STA5:
        return requestor(state);
    case LDC_STA8:
        side = acceptor(LDC_STA6);
        go(&side, LDC_EVT12, "AR-2", LDC_STA8);
        return side;
    case LDC_STA7:
    case LDC_STA9:
    case LDC_STA11:
        side = requestor(LDC_STA6);
        go(&side, LDC_EVT11, "AR-1", LDC_STA7);
        if (state != LDC_STA7)
            go(&side, LDC_EVT12, "AR-8", LDC_STA9);
        if (state == LDC_STA11)
            go(&side, LDC_EVT14, "AR-9", LDC_STA11);
        return side;
    case LDC_STA10:
    case LDC_STA12:
        side = acceptor(LDC_STA6);
        go(&side, LDC_EVT11, "AR-1", LDC_STA7);
        go(&side, LDC_EVT12, "AR-8", LDC_STA10);
        if (state == LDC_STA12)
            go(&side, LDC_EVT13, "AR-10", LDC_STA12);
        return side;
    case LDC_STA13:
        side = acceptor(LDC_STA3);
        go(&side, LDC_EVT8, "AE-8", LDC_STA13);
        return side;
    default:
        return acceptor(LDC_STA6);
    }
}

TEST(an_abort_of_the_local_user_ends_every_state_from_sta3_to_sta12)
{
    int state;

    for (state = LDC_STA3; state <= LDC_STA12; state++) {
        walker one = in_state((ldc_fsm_state)state);

        CHECK_INT(one.state, state);
        if (state == LDC_STA4) { /* nothing to send it on */
            go(&one, LDC_EVT15, "AA-2", LDC_STA1);
            continue;
        }
        go(&one, LDC_EVT15, "AA-1", LDC_STA13);
        go(&one, LDC_EVT10, "AA-6", LDC_STA13); /* what was on the way */
        go(&one, LDC_EVT17, "AR-5", LDC_STA1);
    }
}

TEST(an_abort_of_the_peer_ends_every_state_with_a_transport)
{
    int state;

    for (state = LDC_STA2; state <= LDC_STA13; state++) {
        walker one = in_state((ldc_fsm_state)state);
        bool associating = state != LDC_STA2 && state != LDC_STA13;

        if (state != LDC_STA4)
            go(&one, LDC_EVT16, associating ? "AA-3" : "AA-2", LDC_STA1);
    }
}

TEST(a_lost_transport_ends_every_state_and_is_told_where_somebody_waits)
{
    int state;

    for (state = LDC_STA2; state <= LDC_STA13; state++) {
        walker one = in_state((ldc_fsm_state)state);
        const char *action = state == LDC_STA2 ? "AA-5" : state == LDC_STA13 ? "AR-5" : "AA-4";

        go(&one, LDC_EVT17, action, LDC_STA1);
    }
}

TEST(an_invalid_pdu_ends_every_state_with_a_transport)
{
    int state;

    for (state = LDC_STA2; state <= LDC_STA13; state++) {
        walker one = in_state((ldc_fsm_state)state);
        const char *action = state == LDC_STA2 ? "AA-1" : state == LDC_STA13 ? "AA-7" : "AA-8";

        if (state != LDC_STA4)
            go(&one, LDC_EVT19, action, LDC_STA13);
    }
}

TEST(artim_closes_a_silent_requestor_and_a_peer_that_does_not_close)
{
    walker silent = acceptor(LDC_STA2), lingering = in_state(LDC_STA13);
    ldc_fsm_step step;

    go(&silent, LDC_EVT18, "AA-2", LDC_STA1);
    go(&lingering, LDC_EVT18, "AA-2", LDC_STA1);
    CHECK_INT(ldc_fsm_next(LDC_STA2, LDC_EVT18, 0, &step), LDC_FSM_GO);
    CHECK_INT(step.effects, LDC_FSM_STOP_ARTIM | LDC_FSM_CLOSE);
    CHECK_INT(ldc_fsm_next(LDC_STA6, LDC_EVT18, 0, &step), LDC_FSM_MEANINGLESS); /* a late one */
}

TEST(effects_say_what_the_actions_texts_say)
{
    int state, event, facts;

    for (state = LDC_STA1; state <= LDC_STA13; state++) {
        for (event = LDC_EVT1; event <= LDC_EVT19; event++) {
            for (facts = 0; facts < 4; facts++) {
                ldc_fsm_step step;
                const char *text;

                if (ldc_fsm_next((ldc_fsm_state)state, (ldc_fsm_event)event, (unsigned)facts,
                                 &step) != LDC_FSM_GO ||
                    step.action == LDC_AE_6)
                    continue;
                text = ldc_fsm_action_text(step.action);
#define SAYS(word) (strstr(text, word) != NULL)
                CHECK_INT((step.effects & LDC_FSM_SEND) != 0, SAYS("Send "));
                CHECK_INT((step.effects & LDC_FSM_INDICATE) != 0, SAYS("Issue ") || SAYS("issue "));
                CHECK_INT((step.effects & LDC_FSM_CLOSE) != 0, SAYS("close "));
                CHECK_INT((step.effects & LDC_FSM_CONNECT) != 0, SAYS("Open "));
                CHECK_INT((step.effects & LDC_FSM_STOP_ARTIM) != 0, SAYS("Stop ARTIM"));
                CHECK_INT((step.effects & LDC_FSM_START_ARTIM) != 0,
                          SAYS("start ARTIM") || SAYS("restart ARTIM"));
#undef SAYS
            }
        }
    }
}
