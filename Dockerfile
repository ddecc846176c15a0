# The service with its own worker. Further workers: the same image with `parcours worker`.
# The player is built into the package (web/), where Node is; this image carries Python alone.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY backend backend
RUN python -m venv /opt/parcours \
 && /opt/parcours/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin parcours
COPY --from=build /opt/parcours /opt/parcours
ENV PATH=/opt/parcours/bin:$PATH PYTHONUNBUFFERED=1 LOG_FORMAT=json
USER parcours
# Tracks pass through the temporary folder, one file a transfer (50 MB at most).
VOLUME /tmp
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s CMD \
  ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/openapi.json', timeout=4)"]
# uvicorn and the worker both finish or hand back what is under way, within ten seconds.
STOPSIGNAL SIGTERM
CMD ["parcours", "serve", "--host", "0.0.0.0", "--port", "8000"]
