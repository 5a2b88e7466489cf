"""Addresses of the builder. The project includes them at the root."""

from django.urls import path

from gptbuilder.builder import configure, examples, history, keeping, knowledge, retrieval, sharing, views

app_name = "builder"
urlpatterns = [
    path("gpts/", views.gpts, name="gpts"),
    path("gpts/new/", views.new, name="new"),
    path("gpts/examples/", examples.examples, name="examples"),
    path("gpts/examples/<slug:slug>/", examples.example, name="example"),
    path("gpts/examples/<slug:slug>/adoption/", examples.adoption, name="adoption"),
    path("gpts/<str:gpt_id>/edit/", views.create, name="create"),
    path("gpts/<str:gpt_id>/edit/conversation/", views.conversation, name="conversation"),
    path("gpts/<str:gpt_id>/edit/messages/", views.messages, name="messages"),
    path("gpts/<str:gpt_id>/edit/configure/", configure.configure, name="configure"),
    path("gpts/<str:gpt_id>/edit/knowledge/", retrieval.retrieval, name="retrieval"),
    path("gpts/<str:gpt_id>/edit/knowledge/files/<str:file_id>/", retrieval.passages, name="passages"),
    path("gpts/<str:gpt_id>/edit/knowledge/cases/", retrieval.case_list, name="cases"),
    path(
        "gpts/<str:gpt_id>/edit/knowledge/cases/<str:case_id>/deletion/", retrieval.case_deletion, name="case_deletion"
    ),
    path(
        "gpts/<str:gpt_id>/edit/knowledge/cases/<str:case_id>/recovery/", retrieval.case_recovery, name="case_recovery"
    ),
    path("gpts/<str:gpt_id>/edit/knowledge/trials/", retrieval.trial, name="trials"),
    path("gpts/<str:gpt_id>/edit/turns/<str:run_id>/reversal/", history.reversal, name="reversal"),
    path("gpts/<str:gpt_id>/draft/", configure.draft, name="draft"),
    path("gpts/<str:gpt_id>/locks/<str:field>/", configure.lock, name="lock"),
    path("gpts/<str:gpt_id>/picture/", configure.picture, name="picture"),
    path("gpts/<str:gpt_id>/files/", knowledge.listed, name="files"),
    path("gpts/<str:gpt_id>/files/rules/", knowledge.rules, name="file_rules"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/", knowledge.file, name="file"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/return/", knowledge.returned, name="file_return"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/replacement/", knowledge.replacement, name="file_replacement"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/reading/", knowledge.reading, name="file_reading"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/erasure/", knowledge.erasure, name="file_erasure"),
    path("gpts/<str:gpt_id>/files/<str:file_id>/content/", knowledge.download, name="file_content"),
    path("gpts/<str:gpt_id>/preview/", views.preview, name="preview"),
    path("gpts/<str:gpt_id>/preview/conversation/", views.preview_conversation, name="preview_conversation"),
    path("gpts/<str:gpt_id>/preview/messages/", views.preview_messages, name="preview_messages"),
    path("gpts/<str:gpt_id>/preview/reset/", views.preview_reset, name="preview_reset"),
    path("gpts/<str:gpt_id>/publication/", sharing.publication, name="publication"),
    path("gpts/<str:gpt_id>/audience/", sharing.audience, name="audience"),
    path("gpts/<str:gpt_id>/link/", sharing.link, name="link"),
    path("gpts/<str:gpt_id>/versions/", history.versions, name="versions"),
    path("gpts/<str:gpt_id>/versions/<str:version_id>/comparison/", history.comparison, name="comparison"),
    path("gpts/<str:gpt_id>/versions/<str:version_id>/restoration/", history.restoration, name="restoration"),
    path("gpts/<str:gpt_id>/duplicate/", keeping.duplicate, name="duplicate"),
    path("gpts/<str:gpt_id>/deletion/", keeping.deletion, name="deletion"),
    path("gpts/<str:gpt_id>/recovery/", keeping.recovery, name="recovery"),
]
