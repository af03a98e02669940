# ConvScope in a container: see docs/serving.md.
#   docker build -t convscope . && docker run --rm -p 8501:8501 -v convscope:/data convscope
FROM python:3.11-slim

# Nobody who breaks out of the app is root, or may change its code.
RUN useradd --create-home --uid 10001 convscope && mkdir /data && chown convscope /data

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt
COPY app.py ./
COPY .streamlit ./.streamlit
COPY cnn_core ./cnn_core
COPY lessons ./lessons
COPY pages ./pages
COPY ui ./ui

USER convscope
ENV CONVSCOPE_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
# In a container every interface is the container's own: what is let in is said by `-p`.
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
