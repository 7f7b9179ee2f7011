/* test_window.c - operations that are open, and how many may be. */
#include "ldc_window.h"

#include "ltdic.h"
#include "unit.h"

static ldc_command request(uint16_t field, uint16_t id)
{
    return (ldc_command){.field = field, .message_id = id};
}

static ldc_command response(uint16_t field, uint16_t id, uint16_t status)
{
    return (ldc_command){
        .field = (uint16_t)(field | COMMAND_RESPONSE), .responded_id = id, .status = status};
}

static void begin(ldc_window *window, uint16_t field, uint16_t id)
{
    ldc_command one = request(field, id);
    ldc_window_begin(window, &one);
}

static bool end(ldc_window *window, uint16_t field, uint16_t id, uint16_t status)
{
    ldc_command one = response(field, id, status);
    return ldc_window_end(window, &one);
}

TEST(without_negotiation_one_operation_is_open_at_a_time)
{
    ldc_window window;
    ldc_window_init(&window);
    CHECK(!ldc_window_full(&window));
    begin(&window, COMMAND_C_ECHO, 1);
    CHECK(ldc_window_full(&window));
    CHECK(end(&window, COMMAND_C_ECHO, 1, 0));
    CHECK(!ldc_window_full(&window));
    ldc_window_free(&window);
}

TEST(pending_responses_end_nothing_and_final_ones_that_match_do_in_any_order)
{
    ldc_window window;
    ldc_window_init(&window);
    window.most = 3;
    begin(&window, COMMAND_C_FIND, 1);
    begin(&window, COMMAND_C_STORE, 2);
    begin(&window, COMMAND_C_FIND, 3);
    CHECK(ldc_window_full(&window));
    CHECK(!end(&window, COMMAND_C_FIND, 3, COMMAND_STATUS_PENDING));
    CHECK(!end(&window, COMMAND_C_FIND, 3, COMMAND_STATUS_PENDING_WARNING));
    CHECK(end(&window, COMMAND_C_FIND, 3, COMMAND_STATUS_CANCEL));
    CHECK(end(&window, COMMAND_C_FIND, 1, COMMAND_STATUS_FAILURE));
    CHECK(window.count == 1 && window.open[0].id == 2);
    ldc_window_free(&window);
}

TEST(response_with_a_wrong_id_ends_the_oldest_of_its_kind)
{
    ldc_window window;
    ldc_window_init(&window);
    window.most = 0;
    begin(&window, COMMAND_C_STORE, 5);
    begin(&window, COMMAND_C_ECHO, 6);
    begin(&window, COMMAND_C_ECHO, 7);
    CHECK(end(&window, COMMAND_C_ECHO, 99, 0));
    CHECK(window.count == 2 && window.open[0].id == 5 && window.open[1].id == 7);
    CHECK(!end(&window, COMMAND_C_MOVE, 5, 0));
    CHECK(window.count == 2);
    ldc_window_free(&window);
}

TEST(id_in_use_twice_is_ended_once_for_each_response)
{
    ldc_window window;
    ldc_window_init(&window);
    window.most = 2;
    begin(&window, COMMAND_C_ECHO, 1);
    begin(&window, COMMAND_C_ECHO, 1);
    CHECK(ldc_window_full(&window));
    CHECK(end(&window, COMMAND_C_ECHO, 1, 0));
    CHECK(!ldc_window_full(&window));
    CHECK(end(&window, COMMAND_C_ECHO, 1, 0));
    CHECK(!end(&window, COMMAND_C_ECHO, 1, 0));
    ldc_window_free(&window);
}

TEST(window_without_a_limit_is_never_full_and_memory_is_bounded)
{
    ldc_window window;
    ldc_window_init(&window);
    window.most = 0;
    for (int i = 0; i < LDC_WINDOW_MOST + 1000; i++) {
        begin(&window, COMMAND_C_ECHO, (uint16_t)i);
    }
    CHECK(!ldc_window_full(&window));
    CHECK(window.count == LDC_WINDOW_MOST);
    ldc_window_free(&window);
}

TEST(cancel_and_responses_are_no_operations)
{
    ldc_command cancel = {.field = COMMAND_C_CANCEL}, store = {.field = COMMAND_C_STORE},
                answer = {.field = COMMAND_C_STORE | COMMAND_RESPONSE};
    CHECK(!ldc_window_counts(&cancel));
    CHECK(!ldc_window_counts(&answer));
    CHECK(ldc_window_counts(&store));
}

TEST(smaller_number_is_agreed_and_zero_is_no_limit)
{
    CHECK_INT(ldc_window_agreed(4, 2), 2);
    CHECK_INT(ldc_window_agreed(2, 4), 2);
    CHECK_INT(ldc_window_agreed(0, 3), 3);
    CHECK_INT(ldc_window_agreed(3, 0), 3);
    CHECK_INT(ldc_window_agreed(0, 0), 0);
}
