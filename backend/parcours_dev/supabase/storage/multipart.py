"""A form with one file, read while it arrives: the small fields first, then the file."""

from collections.abc import AsyncIterator

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from parcours_dev.supabase.storage.errors import invalid_request, too_large

FIELDS_MAX = 10
FIELD_BYTES_MAX = 1024 * 1024


class Form:
    """A form under way. After `find_file`, its `fields` are known and its file can be read."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self.fields: dict[str, str] = {}
        self.file_type = "application/octet-stream"
        self._body = body
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_header_name,
                "on_header_value": self._add_header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
            },
        )
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_value = b""
        self._field_name = ""
        self._data = bytearray()
        self._in_file = self._file_found = self._file_ended = False

    async def find_file(self) -> None:
        """Read up to the file; raises StorageError when the form has none."""
        while not self._file_found:
            await self._read_on()

    async def file(self) -> AsyncIterator[bytes]:
        """The content of the file; raises StorageError when the form breaks off."""
        while True:
            chunk, self._data = bytes(self._data), bytearray()
            if chunk:
                yield chunk
            if self._file_ended:
                return
            await self._read_on()

    async def _read_on(self) -> None:
        try:
            self._parser.write(await anext(self._body))
        except StopAsyncIteration:
            raise invalid_request("Unexpected end of form") from None
        except MultipartParseError as error:
            raise invalid_request(f"Malformed form: {error}") from error

    def _begin_part(self) -> None:
        self._headers = {}

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._in_file = b"filename" in options and not self._file_found
        if self._in_file:
            self._file_found = True
            content_type = self._headers.get(b"content-type", self.file_type.encode())
            self.file_type = content_type.decode("latin-1")
        else:
            self._field_name = options.get(b"name", b"").decode("latin-1")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file or not self._file_found:
            self._data += data[start:end]
        if not self._file_found and len(self._data) > FIELD_BYTES_MAX:
            raise too_large("field")

    def _end_part(self) -> None:
        if self._in_file:
            self._in_file, self._file_ended = False, True
        elif not self._file_found:
            if len(self.fields) == FIELDS_MAX:
                raise too_large("form")
            self.fields[self._field_name] = self._data.decode(errors="replace")
            self._data.clear()
