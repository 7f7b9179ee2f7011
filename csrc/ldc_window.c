/* ldc_window.c - see ldc_window.h. */
#include "ldc_window.h"

#include <stdlib.h>
#include <string.h>

#include "ltdic.h"

enum {
    FIRST_CAPACITY = 8
};

void ldc_window_init(ldc_window *window)
{
    memset(window, 0, sizeof *window);
    window->most = 1;
}

void ldc_window_free(ldc_window *window)
{
    free(window->open);
    ldc_window_init(window);
}

bool ldc_window_full(const ldc_window *window)
{
    return window->most != 0 && window->count >= window->most;
}

bool ldc_window_counts(const ldc_command *command)
{
    return (command->field & COMMAND_RESPONSE) == 0 && command->field != COMMAND_C_CANCEL;
}

bool ldc_window_is_final(const ldc_command *response)
{
    return response->status != COMMAND_STATUS_PENDING &&
           response->status != COMMAND_STATUS_PENDING_WARNING;
}

void ldc_window_begin(ldc_window *window, const ldc_command *request)
{
    if (window->count == window->capacity && window->count < LDC_WINDOW_MOST) {
        size_t capacity = window->capacity == 0 ? FIRST_CAPACITY : window->capacity * 2;
        ldc_operation *open = realloc(window->open, capacity * sizeof *open);
        if (open != NULL) {
            window->open = open;
            window->capacity = capacity;
        }
    }
    if (window->count < window->capacity) {
        window->open[window->count++] =
            (ldc_operation){.field = request->field, .id = request->message_id};
    }
}

bool ldc_window_end(ldc_window *window, const ldc_command *response)
{
    uint16_t field = (uint16_t)(response->field & ~COMMAND_RESPONSE);
    size_t found = window->count;
    if ((response->field & COMMAND_RESPONSE) == 0 || !ldc_window_is_final(response)) {
        return false;
    }
    for (size_t i = window->count; i > 0; i--) {
        const ldc_operation *one = &window->open[i - 1];
        bool fits = one->id == response->responded_id;
        bool fitted = found < window->count && window->open[found].id == response->responded_id;
        if (one->field == field && (fits || !fitted)) {
            found = i - 1; /* in the end the oldest that fits, else the oldest of its kind */
        }
    }
    if (found == window->count) {
        return false;
    }
    window->count--;
    memmove(window->open + found, window->open + found + 1,
            (window->count - found) * sizeof *window->open);
    return true;
}

uint16_t ldc_window_agreed(uint16_t asked, uint16_t answered)
{
    if (asked == 0 || answered == 0) {
        return asked == 0 ? answered : asked;
    }
    return asked < answered ? asked : answered;
}
