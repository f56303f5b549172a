// Messages and what carries them, over HTTP.

import { answer, type Api } from "@showdesk/api";

import {
  audienceOut,
  automaticOf,
  choiceOf,
  detailOf,
  itemOf,
  messageOut,
  providersOf,
  sentNowOf,
  templateOf,
  templateOut,
} from "./message-json.ts";
import type { MessageCalls } from "./message-types.ts";

export function messageCalls(api: Api): MessageCalls {
  return { ...listCalls(api), ...writingCalls(api), ...templateCalls(api), ...providerCalls(api) };
}

type ListCalls = "messages" | "message" | "cancelMessage" | "retractMessage" | "remindMessage";

function listCalls(api: Api): Pick<MessageCalls, ListCalls> {
  const of = (id: string) => ({ params: { path: { id } } });
  return {
    messages: async (state, cursor, limit) => {
      const query = { state, limit, ...(cursor !== undefined && { cursor }) };
      const page = answer(await api.GET("/api/v1/admin/notifications", { params: { query } }));
      return { items: page.items.map(itemOf), cursor: page.cursor ?? undefined };
    },
    message: async (id) => detailOf(answer(await api.GET("/api/v1/admin/notifications/{id}", of(id)))),
    cancelMessage: async (id) => {
      await api.POST("/api/v1/admin/notifications/{id}/cancel", of(id));
    },
    retractMessage: async (id) => {
      await api.POST("/api/v1/admin/notifications/{id}/retract", of(id));
    },
    remindMessage: async (id) => answer(await api.POST("/api/v1/admin/notifications/{id}/remind", of(id))).reminded,
  };
}

type WritingCalls = "audience" | "reach" | "previewMessage" | "sendMessage" | "changeMessage";

function writingCalls(api: Api): Pick<MessageCalls, WritingCalls> {
  return {
    audience: async (q) => {
      const query = q === "" ? {} : { q };
      return answer(await api.GET("/api/v1/admin/notifications/audience", { params: { query } })).items.map(choiceOf);
    },
    reach: async (audience) => {
      const body = { audience: audienceOut(audience) };
      return answer(await api.POST("/api/v1/admin/notifications/reach", { body }));
    },
    previewMessage: async ({ audience, ...draft }) => {
      const body = { ...draft, audience: audienceOut(audience) };
      const { title, ...shown } = answer(await api.POST("/api/v1/admin/notifications/preview", { body }));
      return { title, body: shown.body ?? undefined, send_at: shown.send_at ?? undefined };
    },
    sendMessage: async (message) =>
      sentNowOf(answer(await api.POST("/api/v1/admin/notifications", { body: messageOut(message) }))),
    changeMessage: async (id, message) => {
      const params = { path: { id } };
      const body = messageOut(message);
      return sentNowOf(answer(await api.PUT("/api/v1/admin/notifications/{id}", { params, body })));
    },
  };
}

type TemplateCalls = "templates" | "addTemplate" | "changeTemplate" | "dropTemplate" | "automatic" | "setAutomatic";

function templateCalls(api: Api): Pick<MessageCalls, TemplateCalls> {
  const of = (id: string) => ({ params: { path: { id } } });
  return {
    templates: async () => answer(await api.GET("/api/v1/admin/notification-templates")).items.map(templateOf),
    addTemplate: async (template) =>
      templateOf(answer(await api.POST("/api/v1/admin/notification-templates", { body: templateOut(template) }))),
    changeTemplate: async (id, template) => {
      const body = templateOut(template);
      return templateOf(answer(await api.PUT("/api/v1/admin/notification-templates/{id}", { ...of(id), body })));
    },
    dropTemplate: async (id) => {
      await api.DELETE("/api/v1/admin/notification-templates/{id}", of(id));
    },
    automatic: async () => automaticOf(answer(await api.GET("/api/v1/admin/notifications/automatic"))),
    setAutomatic: async (body) => automaticOf(answer(await api.PUT("/api/v1/admin/notifications/automatic", { body }))),
  };
}

type ProviderCalls = "providers" | "setProvider" | "dropProvider" | "testProvider";

function providerCalls(api: Api): Pick<MessageCalls, ProviderCalls> {
  const of = (provider: string) => ({ params: { path: { provider } } });
  return {
    providers: async () => providersOf(answer(await api.GET("/api/v1/admin/push"))),
    setProvider: async (provider, body) =>
      providersOf(answer(await api.PUT(`/api/v1/admin/push/${provider}`, { body }))),
    dropProvider: async (provider) => {
      await api.DELETE(`/api/v1/admin/push/${provider}`);
    },
    testProvider: async (provider) => answer(await api.POST("/api/v1/admin/push/{provider}/test", of(provider))),
  };
}
