/* ldc_news.c - see ldc_news.h. */
#include "ldc_news.h"

#include <stdlib.h>

#include "ldc_associate.h"
#include "ldc_error.h"

ldc_news *ldc_news_new(ldc_news_kind kind)
{
    ldc_news *news = calloc(1, sizeof *news);
    if (news != NULL) {
        news->kind = kind;
        ldc_command_init(&news->command);
    }
    return news;
}

void ldc_news_free(ldc_news *news)
{
    if (news != NULL) {
        ldc_associate_free(news->associate);
        ldc_command_free(&news->command);
        ldc_dataset_handed_over(news->data);
        ldc_dataset_put(news->data);
        free(news->command_bytes);
        free(news->raw);
        free(news->sent);
        free(news);
    }
}

bool ldc_news_wanted(const DICOMNETCALLBACK *callbacks, const ldc_news *news)
{
    switch (news->kind) {
    case LDC_NEWS_PDU:
        return callbacks->pfnReceive != NULL;
    case LDC_NEWS_UNKNOWN:
        return callbacks->pfnReceiveUnknown != NULL;
    case LDC_NEWS_SENT:
        return callbacks->pfnSend != NULL;
    case LDC_NEWS_CHUNK:
        return callbacks->pfnReceiveChunk != NULL;
    default:
        return true; /* a message that nobody wants is still looked at when its turn comes */
    }
}

bool ldc_news_automatic(const DICOMNETCALLBACK *callbacks, uint32_t automatic, const ldc_news *news)
{
    if (news->kind == LDC_NEWS_RELEASE_REQUEST) {
        return (automatic & DICOM_AUTO_RESPOND_RELEASE) != 0 &&
               callbacks->pfnReceiveReleaseRequest == NULL;
    }
    return news->kind == LDC_NEWS_MESSAGE && news->command.field == COMMAND_C_ECHO &&
           (automatic & DICOM_AUTO_RESPOND_ECHO) != 0 && callbacks->pfnReceiveCEchoRequest == NULL;
}

bool ldc_news_answered(const DICOMNETCALLBACK *callbacks, const ldc_news *news)
{
    switch (news->command.field) {
    case COMMAND_C_STORE:
        return callbacks->pfnReceiveCStoreRequest != NULL;
    case COMMAND_C_FIND:
        return callbacks->pfnReceiveCFindRequest != NULL;
    case COMMAND_C_MOVE:
        return callbacks->pfnReceiveCMoveRequest != NULL;
    case COMMAND_C_GET:
        return callbacks->pfnReceiveCGetRequest != NULL;
    case COMMAND_C_ECHO:
        return callbacks->pfnReceiveCEchoRequest != NULL;
    case COMMAND_N_REPORT:
        return callbacks->pfnReceiveNReportRequest != NULL;
    case COMMAND_N_GET:
        return callbacks->pfnReceiveNGetRequest != NULL;
    case COMMAND_N_SET:
        return callbacks->pfnReceiveNSetRequest != NULL;
    case COMMAND_N_ACTION:
        return callbacks->pfnReceiveNActionRequest != NULL;
    case COMMAND_N_CREATE:
        return callbacks->pfnReceiveNCreateRequest != NULL;
    case COMMAND_N_DELETE:
        return callbacks->pfnReceiveNDeleteRequest != NULL;
    default:
        return false;
    }
}

/* The callback of a DIMSE message, PS3.7 9.3 and 10.3. */
static void tell_message(HDICOMNET net, const DICOMNETCALLBACK *callbacks, ldc_news *news,
                         HDICOMDS data)
{
    ldc_command *c = &news->command;
    L_VOID *user = callbacks->pUserData;
    L_UCHAR context = news->context;
    L_UINT16 id = ldc_command_id(c);
    /* The callbacks' strings are not const; they point into news, which is ours to give.
     */
    L_TCHAR *class_uid = (L_TCHAR *)(uintptr_t)ldc_command_class(c);
    L_TCHAR *instance = (L_TCHAR *)(uintptr_t)ldc_command_instance(c);
    switch (c->field) {
    case COMMAND_C_STORE:
        if (callbacks->pfnReceiveCStoreRequest != NULL) {
            callbacks->pfnReceiveCStoreRequest(net, context, id, class_uid, instance, c->priority,
                                               c->originator, c->originator_id, data, user);
        }
        break;
    case COMMAND_C_STORE | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveCStoreResponse != NULL) {
            callbacks->pfnReceiveCStoreResponse(net, context, id, class_uid, instance, c->status,
                                                user);
        }
        break;
    case COMMAND_C_FIND:
        if (callbacks->pfnReceiveCFindRequest != NULL) {
            callbacks->pfnReceiveCFindRequest(net, context, id, class_uid, c->priority, data, user);
        }
        break;
    case COMMAND_C_FIND | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveCFindResponse != NULL) {
            callbacks->pfnReceiveCFindResponse(net, context, id, class_uid, c->status, data, user);
        }
        break;
    case COMMAND_C_MOVE:
        if (callbacks->pfnReceiveCMoveRequest != NULL) {
            callbacks->pfnReceiveCMoveRequest(net, context, id, class_uid, c->priority,
                                              c->move_destination, data, user);
        }
        break;
    case COMMAND_C_MOVE | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveCMoveResponse != NULL) {
            callbacks->pfnReceiveCMoveResponse(net, context, id, class_uid, c->status, c->remaining,
                                               c->completed, c->failed, c->warning, data, user);
        }
        break;
    case COMMAND_C_GET:
        if (callbacks->pfnReceiveCGetRequest != NULL) {
            callbacks->pfnReceiveCGetRequest(net, context, id, class_uid, c->priority, data, user);
        }
        break;
    case COMMAND_C_GET | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveCGetResponse != NULL) {
            callbacks->pfnReceiveCGetResponse(net, context, id, class_uid, c->status, c->remaining,
                                              c->completed, c->failed, c->warning, data, user);
        }
        break;
    case COMMAND_C_ECHO:
        if (callbacks->pfnReceiveCEchoRequest != NULL) {
            callbacks->pfnReceiveCEchoRequest(net, context, id, class_uid, user);
        }
        break;
    case COMMAND_C_ECHO | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveCEchoResponse != NULL) {
            callbacks->pfnReceiveCEchoResponse(net, context, id, class_uid, c->status, user);
        }
        break;
    case COMMAND_N_REPORT:
        if (callbacks->pfnReceiveNReportRequest != NULL) {
            callbacks->pfnReceiveNReportRequest(net, context, id, class_uid, instance,
                                                c->event_type, data, user);
        }
        break;
    case COMMAND_N_REPORT | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNReportResponse != NULL) {
            callbacks->pfnReceiveNReportResponse(net, context, id, class_uid, instance, c->status,
                                                 c->event_type, data, user);
        }
        break;
    case COMMAND_N_GET:
        if (callbacks->pfnReceiveNGetRequest != NULL) {
            callbacks->pfnReceiveNGetRequest(net, context, id, class_uid, instance,
                                             c->attributes.tags, (L_UINT16)c->attributes.count,
                                             user);
        }
        break;
    case COMMAND_N_GET | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNGetResponse != NULL) {
            callbacks->pfnReceiveNGetResponse(net, context, id, class_uid, instance, c->status,
                                              data, user);
        }
        break;
    case COMMAND_N_SET:
        if (callbacks->pfnReceiveNSetRequest != NULL) {
            callbacks->pfnReceiveNSetRequest(net, context, id, class_uid, instance, data, user);
        }
        break;
    case COMMAND_N_SET | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNSetResponse != NULL) {
            callbacks->pfnReceiveNSetResponse(net, context, id, class_uid, instance, c->status,
                                              data, user);
        }
        break;
    case COMMAND_N_ACTION:
        if (callbacks->pfnReceiveNActionRequest != NULL) {
            callbacks->pfnReceiveNActionRequest(net, context, id, class_uid, instance,
                                                c->action_type, data, user);
        }
        break;
    case COMMAND_N_ACTION | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNActionResponse != NULL) {
            callbacks->pfnReceiveNActionResponse(net, context, id, class_uid, instance, c->status,
                                                 c->action_type, data, user);
        }
        break;
    case COMMAND_N_CREATE:
        if (callbacks->pfnReceiveNCreateRequest != NULL) {
            callbacks->pfnReceiveNCreateRequest(net, context, id, class_uid, instance, data, user);
        }
        break;
    case COMMAND_N_CREATE | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNCreateResponse != NULL) {
            callbacks->pfnReceiveNCreateResponse(net, context, id, class_uid, instance, c->status,
                                                 data, user);
        }
        break;
    case COMMAND_N_DELETE:
        if (callbacks->pfnReceiveNDeleteRequest != NULL) {
            callbacks->pfnReceiveNDeleteRequest(net, context, id, class_uid, instance, user);
        }
        break;
    case COMMAND_N_DELETE | COMMAND_RESPONSE:
        if (callbacks->pfnReceiveNDeleteResponse != NULL) {
            callbacks->pfnReceiveNDeleteResponse(net, context, id, class_uid, instance, c->status,
                                                 user);
        }
        break;

    default: /* C-CANCEL-RQ is told out of turn, others are refused before they come here */
        if (c->field == COMMAND_C_CANCEL && callbacks->pfnReceiveCCancelRequest != NULL) {
            callbacks->pfnReceiveCCancelRequest(net, context, c->responded_id, user);
        }
        break;
    }
}

/* RECEIVEDATACALLBACK gets handles of its own: giving one up harms nobody else. */
static void tell_data(HDICOMNET net, const DICOMNETCALLBACK *callbacks, ldc_news *news,
                      const char *folder)
{
    ldc_dataset *command = ldc_dataset_new(folder);
    if (command == NULL || ldc_dataset_append(command, news->command_bytes, news->command_length,
                                              UINT64_MAX, UINT64_MAX) != DICOM_SUCCESS) {
        ldc_log(DICOM_LOG_ERROR, (uint64_t)(uintptr_t)net,
                "out of memory: ReceiveData is not called");
        ldc_dataset_put(command);
        return;
    }
    ldc_dataset_set_syntax(command, LDC_IMPLICIT_LITTLE);
    HDICOMDS cs = ldc_dataset_lend(command);
    HDICOMDS ds = ldc_dataset_lend(news->data);
    callbacks->pfnReceiveData(net, news->context, cs, ds, callbacks->pUserData);
    ldc_dataset_unlend(cs);
    ldc_dataset_unlend(ds);
    ldc_dataset_put(command);
}

void ldc_news_tell(HDICOMNET net, const DICOMNETCALLBACK *callbacks, ldc_news *news,
                   const char *folder)
{
    L_VOID *user = callbacks->pUserData;
    switch (news->kind) {
    case LDC_NEWS_PDU:
        if (callbacks->pfnReceive != NULL) {
            callbacks->pfnReceive(net, DICOM_SUCCESS, news->type, news->raw,
                                  (L_UINT32)news->raw_length, user);
        }
        break;
    case LDC_NEWS_UNKNOWN:
        if (callbacks->pfnReceiveUnknown != NULL) {
            callbacks->pfnReceiveUnknown(net, DICOM_SUCCESS, news->type, news->raw,
                                         (L_UINT32)news->raw_length, user);
        }
        break;
    case LDC_NEWS_SENT:
        if (callbacks->pfnSend != NULL) {
            callbacks->pfnSend(net, DICOM_SUCCESS, news->type, news->length, user);
        }
        break;
    case LDC_NEWS_ASSOCIATE_REQUEST:
        if (callbacks->pfnReceiveAssociateRequest != NULL) {
            callbacks->pfnReceiveAssociateRequest(net, news->associate, user);
        }
        break;
    case LDC_NEWS_ASSOCIATE_ACCEPT:
        if (callbacks->pfnReceiveAssociateAccept != NULL) {
            callbacks->pfnReceiveAssociateAccept(net, news->associate, user);
        }
        break;
    case LDC_NEWS_ASSOCIATE_REJECT:
        if (callbacks->pfnReceiveAssociateReject != NULL) {
            callbacks->pfnReceiveAssociateReject(net, news->result, news->source, news->reason,
                                                 user);
        }
        break;
    case LDC_NEWS_RELEASE_REQUEST:
        if (callbacks->pfnReceiveReleaseRequest != NULL) {
            callbacks->pfnReceiveReleaseRequest(net, user);
        }
        break;
    case LDC_NEWS_RELEASE_RESPONSE:
        if (callbacks->pfnReceiveReleaseResponse != NULL) {
            callbacks->pfnReceiveReleaseResponse(net, user);
        }
        break;
    case LDC_NEWS_ABORT:
        if (callbacks->pfnReceiveAbort != NULL) {
            callbacks->pfnReceiveAbort(net, news->source, news->reason, user);
        }
        break;
    case LDC_NEWS_CHUNK:
        if (callbacks->pfnReceiveChunk != NULL) {
            callbacks->pfnReceiveChunk(net, news->context, news->id, news->raw,
                                       (L_UINT32)news->raw_length, news->chunk, user);
        }
        break;
    case LDC_NEWS_MESSAGE: {
        if (callbacks->pfnReceiveData != NULL) {
            tell_data(net, callbacks, news, folder);
        }
        HDICOMDS data = ldc_dataset_lend(news->data);
        tell_message(net, callbacks, news, data);
        ldc_dataset_unlend(data);
        break;
    }
    }
}
