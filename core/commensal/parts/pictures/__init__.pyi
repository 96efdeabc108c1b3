"""Public names of this room, each imported when it is first asked for: the package reads this list."""

from .images import LARGEST_IMAGE as LARGEST_IMAGE
from .images import PICTURE_KINDS as PICTURE_KINDS
from .images import Picture as Picture
from .images import PictureKind as PictureKind
from .images import add_image as add_image
from .images import enterprise_pictures as enterprise_pictures
from .images import keep_picture as keep_picture
from .images import pictures_of_enterprises as pictures_of_enterprises
from .images import re_encode as re_encode
from .images import read_picture as read_picture
from .images import set_enterprise_picture as set_enterprise_picture

__all__: list[str]
