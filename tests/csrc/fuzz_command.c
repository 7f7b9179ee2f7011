/*
 * fuzz_command.c - fuzz target: a command set as a peer may send it.
 *
 * Whatever the bytes are: refused with a sentence of one line, or written again in a form that
 * reads as the same command, is never longer than what came, and stays as it is from then on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldc_command.h"
#include "ltdic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void require_sentence(const ldc_command_fault *fault)
{
    size_t length = strnlen(fault->text, sizeof fault->text), i;

    REQUIRE(fault->code != DICOM_SUCCESS);
    REQUIRE(length > 0 && length < sizeof fault->text);
    for (i = 0; i < length; i++)
        REQUIRE(fault->text[i] >= 0x20 && fault->text[i] <= 0x7E);
}

static void require_strings(const ldc_command *command)
{
    const char *const uids[] = {command->affected_class, command->requested_class,
                                command->affected_instance, command->requested_instance};
    const char *const aes[] = {command->move_destination, command->originator};
    size_t i;

    for (i = 0; i < 4; i++) {
        REQUIRE(uids[i][0] == '\0' || ldc_command_is_uid(uids[i]));
        REQUIRE(strspn(uids[i], "0123456789.") == strlen(uids[i]));
        REQUIRE(strstr(uids[i], "..") == NULL && uids[i][0] != '.');
    }
    for (i = 0; i < 2; i++)
        REQUIRE(aes[i][0] == '\0' || ldc_command_is_ae(aes[i]));
}

static void require_same_list(const ldc_command_tags *one, const ldc_command_tags *other)
{
    REQUIRE(one->count == other->count);
    REQUIRE(one->count == 0 || memcmp(one->tags, other->tags, one->count * sizeof *one->tags) == 0);
}

static void require_same(const ldc_command *one, const ldc_command *other)
{
    /* All that comes before the first pointer: zeroed by init, so padding is the same too. */
    REQUIRE(memcmp(one, other, offsetof(ldc_command, affected_class)) == 0);
    REQUIRE(strcmp(one->affected_class, other->affected_class) == 0);
    REQUIRE(strcmp(one->requested_class, other->requested_class) == 0);
    REQUIRE(strcmp(one->affected_instance, other->affected_instance) == 0);
    REQUIRE(strcmp(one->requested_instance, other->requested_instance) == 0);
    REQUIRE(strcmp(one->move_destination, other->move_destination) == 0);
    REQUIRE(strcmp(one->originator, other->originator) == 0);
    REQUIRE(strcmp(one->error_comment, other->error_comment) == 0);
    require_same_list(&one->offending, &other->offending);
    require_same_list(&one->attributes, &other->attributes);
    REQUIRE(one->others_length == other->others_length);
    REQUIRE(one->others_length == 0 || memcmp(one->others, other->others, one->others_length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ldc_command command, again;
    ldc_command_fault fault = {DICOM_SUCCESS, ""};
    uint8_t *bytes, *same;
    size_t length, same_length;

    if (ldc_command_decode(&command, data, size, &fault) != DICOM_SUCCESS) {
        require_sentence(&fault);
        REQUIRE(command.present == 0 && command.others == NULL && command.attributes.tags == NULL);
        return 0;
    }
    REQUIRE(size <= LDC_COMMAND_LIMIT);
    require_strings(&command);
    if (ldc_command_check(&command, &fault) != DICOM_SUCCESS)
        require_sentence(&fault);
    bytes = ldc_command_encode(&command, &length, &fault);
    REQUIRE(bytes != NULL && length <= size);
    REQUIRE(ldc_command_decode(&again, bytes, length, &fault) == DICOM_SUCCESS);
    require_same(&command, &again);
    same = ldc_command_encode(&again, &same_length, &fault);
    REQUIRE(same != NULL && same_length == length && memcmp(same, bytes, length) == 0);
    free(same);
    free(bytes);
    ldc_command_free(&again);
    ldc_command_free(&command);
    return 0;
}
