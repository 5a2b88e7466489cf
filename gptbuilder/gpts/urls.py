from django.urls import path

from gptbuilder.gpts import views

app_name = "gpts"
urlpatterns = [
    path("gpts/<str:gpt_id>/pictures/<str:picture_id>.webp", views.picture, name="picture"),
    path("avatars/<str:seed>.svg", views.avatar, name="avatar"),
]
